# SPDX-License-Identifier: MIT
"""Runs make quietly and finds what it made: the kernel and the images."""
import os
import re
from pathlib import Path
from textwrap import shorten

from common import ROOT, TernError, program_said, progress

DEFAULT_KERNEL = ROOT / "build/release/tern.elf"


def environment() -> dict[str, str]:
    """This process's environment without what an outer make would hand down."""
    return {
        key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }


def make(*words: str, cwd: Path = ROOT) -> str:
    """`make -j2 WORDS`; returns its output. Raises TernError with the last lines when it fails."""
    progress("building")
    try:
        status, text = program_said(["make", "-j2", *words], cwd, environment())
    except OSError as error:
        raise TernError(f"make cannot be started ({error.strerror}); install make") from error
    finally:
        progress("")
    if status != 0:
        wrong = re.findall(r"^.*(?:error:|undefined reference|\*\*\*).*$", text, re.MULTILINE) or [
            "it printed no error"
        ]
        tail = "\n".join(text.splitlines()[-20:])
        raise TernError(
            f"the build fails: {wrong[0][:200]}; the end of `make {shorten(' '.join(words), 60)}`:\n{tail}"
        )
    return text


def kernel_get(given: str | None) -> Path:
    """The kernel to boot: the given file as it is, or a fresh release build of the tree."""
    if given is not None:
        path = Path(given).resolve()
        if not path.is_file():
            raise TernError(f"there is no kernel {given}; give an ELF file to --kernel")
        return path
    make("BUILD=release")
    if not DEFAULT_KERNEL.is_file():
        raise TernError("the build made no build/release/tern.elf; see `make BUILD=release`")
    return DEFAULT_KERNEL


def image_path(name: str, kernel: Path) -> Path:
    """Where an image is: NAME is images/NAME.img beside the kernel, FILE (with a slash, or ending in .img) is itself."""
    if "/" in name or name.endswith(".img"):
        return Path(name).resolve()
    return kernel.parent / "images" / f"{name}.img"


def image_find(name: str, kernel: Path) -> Path:
    """As image_path, for an image that is there. Raises TernError if it is not, or is empty: QEMU would pass nothing."""
    path = image_path(name, kernel)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.img"))) or "none built"
        raise TernError(
            f"there is no image {name}; give a file or one of: {known} (`make tests-images` builds the tests')"
        )
    if path.stat().st_size == 0:
        raise TernError(f"the image {name} is an empty file; build it again")
    return path
