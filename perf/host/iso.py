# SPDX-License-Identifier: MIT
"""A GRUB image that boots from BIOS. Equal inputs give equal bytes (every date in it is fixed)."""
import os
import shutil
import tempfile
from pathlib import Path

from common import TernError, program_said

EPOCH = 1767225600  # 2026-01-01T00:00:00Z
VOLUME_UUID = "2026010100000000"
GRUB_MODULES = "/usr/lib/grub/i386-pc"


def grub_config(command_line: str, image: bool) -> str:
    """grub.cfg: serial terminal, no waiting, one entry. Raises TernError for text GRUB would change."""
    if "'" in command_line or not command_line.isprintable():
        raise TernError("the command line holds a quote or a control character; GRUB cannot pass it on")
    words = "".join(f" '{word}'" for word in command_line.split())
    module = "    module2 /boot/image.img\n" if image else ""
    return (
        "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\nset timeout=0\n"
        f'menuentry "Tern" {{\n    multiboot2 /boot/tern.elf{words}\n{module}}}\n'
    )


def iso_write(out: Path, kernel: Path, image: Path | None, command_line: str) -> None:
    """Writes the ISO of kernel, optional image and command line to `out`; nothing is left on failure."""
    if shutil.which("grub-mkrescue") is None or not Path(GRUB_MODULES).is_dir():
        raise TernError("grub-mkrescue is missing; install grub-common grub-pc-bin xorriso mtools")
    with tempfile.TemporaryDirectory(prefix="tern-iso-") as temporary:
        tree = Path(temporary) / "tree"
        (tree / "boot/grub").mkdir(parents=True)
        (tree / "boot/grub/grub.cfg").write_text(
            grub_config(command_line, image is not None), encoding="utf-8"
        )
        shutil.copyfile(kernel, tree / "boot/tern.elf")
        if image is not None:
            shutil.copyfile(image, tree / "boot/image.img")
        for path in sorted(tree.rglob("*"), reverse=True):
            os.utime(path, (EPOCH, EPOCH))
        rescue(tree, Path(temporary) / "tern.iso")
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(temporary) / "tern.iso", out)
        except OSError as error:
            out.unlink(missing_ok=True)
            raise TernError(f"cannot write {out}: {error.strerror}; choose another --out") from error


def rescue(tree: Path, out: Path) -> None:
    """grub-mkrescue with every date fixed and without locales, fonts and themes."""
    line = [
        "grub-mkrescue",
        "-d",
        GRUB_MODULES,
        "--locales=",
        "--fonts=",
        "--themes=",
        "--compress=no",
        "-o",
        str(out),
        str(tree),
        "--",
        "-volume_date",
        "all_file_dates",
        f"={EPOCH}",
        "-volume_date",
        "uuid",
        VOLUME_UUID,
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC"}
    status, text = program_said(line, environment=environment)
    if status != 0 or not out.is_file():
        said = text.strip().splitlines()
        raise TernError(f"grub-mkrescue fails: {said[-1] if said else status}")
