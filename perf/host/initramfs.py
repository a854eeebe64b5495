# SPDX-License-Identifier: MIT
"""A newc cpio archive that Linux unpacks as its first root: files, folders, links, device nodes, programs with
their shared libraries, kernel modules. No root rights, no mounts; equal content gives equal bytes.

Paths inside the archive are written without a leading slash; the folders above an entry come by themselves.
`roots` are unpacked trees (debcache.py) that are searched before the machine's own root for libraries.
Raises TernError for what is missing or does not fit; nothing is left of a file that could not be written.
"""
import gzip
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common import TernError

LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib", "lib64")
LIBRARIES_AT = "lib/x86_64-linux-gnu"
CANCEL_LIBRARY = "libgcc_s.so.1"  # the C library loads it by name when a thread is cancelled
GZIP_LEVEL = 1
HOST = Path("/")
ALIGN = 4
SIZE_MAX = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """One thing in the archive. `mode` with its type bits; `content` of a file or link; `device` of a node."""

    mode: int
    content: bytes | Path = b""
    device: tuple[int, int] = (0, 0)

    def data(self) -> bytes:
        """The bytes that follow the header."""
        if isinstance(self.content, bytes):
            return self.content
        try:
            return self.content.read_bytes()
        except OSError as error:
            raise TernError(f"the initramfs needs {self.content}: {error.strerror}") from error


@dataclass(frozen=True)
class Dynamic:
    """What an ELF file asks of the loader."""

    interpreter: str
    needed: tuple[str, ...]
    search: tuple[str, ...]


def rooted(root: Path, path: str) -> Path:
    """A path below a root with its links followed inside that root, as if it were /."""
    at, parts, links = root, [part for part in path.split("/") if part not in ("", ".")], 0
    while parts:
        part = parts.pop(0)
        if part == "..":
            at = at.parent if at != root else root
            continue
        step = at / part
        if links < 40 and step.is_symlink():
            links += 1
            target = os.readlink(step)
            at = root if target.startswith("/") else at
            parts[:0] = [piece for piece in target.split("/") if piece not in ("", ".")]
            continue
        at = step
    return at


def dynamic_read(path: Path) -> Dynamic:
    """Interpreter, needed libraries and search path of an ELF file; all empty for a static one or a script."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return Dynamic("", (), ())
    run = subprocess.run(["readelf", "-Wld", str(path)], capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if run.returncode != 0:
        raise TernError(f"readelf cannot read {path}: {run.stderr.decode('utf-8', 'replace').strip()[:120]}")
    text = run.stdout.decode("utf-8", "replace")
    interpreter = re.search(r"program interpreter: (\S+)\]", text)
    search = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", text)
    return Dynamic(
        interpreter[1] if interpreter else "",
        tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", text)),
        tuple(folder for paths in search for folder in paths.split(":") if folder),
    )


def library_find(name: str, search: Sequence[str], roots: Sequence[Path]) -> Path | None:
    """A library by its name: first in the folders that the one who needs it gives, then where Debian has them."""
    for root in [*roots, HOST]:
        for folder in [*search, *LIBRARY_FOLDERS]:
            path = rooted(root, f"{folder}/{name}")
            if path.is_file():
                return path
    return None


def origin_of(path: Path, roots: Sequence[Path]) -> str:
    """The folder that $ORIGIN stands for, as seen inside the root that the file is in."""
    for root in roots:
        if path.is_relative_to(root):
            return str(path.parent.relative_to(root))
    return str(path.parent)


class Archive:
    """The entries by path, and ways to add some. A later entry of the same path replaces the earlier one."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, path: str, entry: Entry) -> None:
        """One entry, with the folders above it."""
        parts = path.strip("/").split("/")
        if any(part in ("", ".", "..") for part in parts) or "\0" in path:
            raise TernError(f"'{path}' is no path for an initramfs")
        for count in range(1, len(parts)):
            above = self.entries.setdefault("/".join(parts[:count]), Entry(stat.S_IFDIR | 0o755))
            if not stat.S_ISDIR(above.mode):
                raise TernError(f"'{path}' in an initramfs: {'/'.join(parts[:count])} is no folder")
        self.entries["/".join(parts)] = entry

    def directory(self, path: str, mode: int = 0o755) -> None:
        """An empty folder."""
        self.add(path, Entry(stat.S_IFDIR | mode))

    def file(self, path: str, content: bytes | str | Path, mode: int = 0o644) -> None:
        """A file with these bytes, this text, or what the file `content` holds when the archive is written."""
        if isinstance(content, Path) and not content.is_file():
            raise TernError(f"the initramfs needs {content}, which is not there")
        self.add(path, Entry(stat.S_IFREG | mode, content.encode() if isinstance(content, str) else content))

    def symlink(self, path: str, target: str) -> None:
        """A symbolic link."""
        self.add(path, Entry(stat.S_IFLNK | 0o777, target.encode()))

    def node(self, path: str, kind: str, major: int, minor: int, mode: int = 0o600) -> None:
        """A device node; `kind` is c or b."""
        self.add(path, Entry({"c": stat.S_IFCHR, "b": stat.S_IFBLK}[kind] | mode, b"", (major, minor)))

    def tree(self, path: str, source: Path) -> None:
        """A folder of the host with everything in it; links stay links."""
        self.directory(path, source.stat().st_mode & 0o7777)
        for item in sorted(source.iterdir()):
            below = f"{path}/{item.name}"
            if item.is_symlink():
                self.symlink(below, os.readlink(item))
            elif item.is_dir():
                self.tree(below, item)
            elif item.is_file():
                self.file(below, item, item.stat().st_mode & 0o7777)

    def program(self, path: str, source: Path, roots: Sequence[Path] = (), search: Sequence[str] = ()) -> None:
        """An executable and every library that it needs, directly or not; `search`: more folders for those."""
        self.file(path, source, 0o755)
        dynamic = dynamic_read(source)
        if not dynamic.interpreter:
            return
        loader = next((found for root in [*roots, HOST] if (found := rooted(root, dynamic.interpreter)).is_file()), None)
        if loader is None:
            raise TernError(f"{source} needs {dynamic.interpreter}, which is not there")
        self.file(dynamic.interpreter, loader, 0o755)
        self.libraries(source, dynamic, roots, search)
        cancel = library_find(CANCEL_LIBRARY, search, roots)
        if cancel is not None:
            self.file(f"{LIBRARIES_AT}/{CANCEL_LIBRARY}", cancel, 0o755)

    def libraries(self, source: Path, dynamic: Dynamic, roots: Sequence[Path], search: Sequence[str]) -> None:
        """What `source` needs and is not yet in the archive, and what that needs."""
        waiting = [(source, dynamic, name) for name in dynamic.needed]
        while waiting:
            user, wants, name = waiting.pop()
            if f"{LIBRARIES_AT}/{name}" in self.entries or wants.interpreter.endswith(f"/{name}"):
                continue
            own = [folder.replace("$ORIGIN", origin_of(user, roots)) for folder in wants.search]
            path = library_find(name, [*own, *search], roots)
            if path is None:
                raise TernError(f"{user} needs the library {name}, which is not there; install its package")
            self.file(f"{LIBRARIES_AT}/{name}", path, 0o755)
            more = dynamic_read(path)
            waiting += [(path, more, other) for other in more.needed]

    def modules(self, root: Path, names: Sequence[str]) -> list[str]:
        """Kernel modules of an unpacked kernel package and those they need; the paths in the order of insmod.

        What is built into the kernel is left out.
        """
        kernel, found, order = modules_folder(root), {}, []
        for path in sorted(kernel.rglob("*.ko")):
            found[path.stem.replace("-", "_")] = path
        builtin = {Path(line).stem.replace("-", "_") for line in (kernel / "modules.builtin").read_text().splitlines()}

        def visit(name: str, above: tuple[str, ...] = ()) -> None:
            name = name.replace("-", "_")
            if name in above:
                raise TernError(f"the kernel's modules {' and '.join(above)} need each other")
            if name in builtin or any(Path(path).stem.replace("-", "_") == name for path in order):
                return
            if name not in found:
                raise TernError(f"the kernel {kernel.name} has no module {name}")
            for need in module_depends(found[name]):
                visit(need, (*above, name))
            path = f"lib/modules/{found[name].name}"
            self.file(path, found[name])
            order.append(path)

        for name in names:
            visit(name)
        return order

    def write(self, out: Path, compressed: bool = False) -> None:
        """Writes the archive, whole or not at all."""
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=out.parent, prefix=".partial-")
            try:
                with open(handle, "wb") as file:
                    if compressed:
                        with gzip.GzipFile("", "wb", GZIP_LEVEL, file, 0) as packed:
                            self.records_write(packed)
                    else:
                        self.records_write(file)
                os.chmod(partial, 0o644)
                os.replace(partial, out)
            finally:
                Path(partial).unlink(missing_ok=True)
        except OSError as error:
            raise TernError(f"cannot write {out}: {error.strerror}; free space") from error

    def records_write(self, file) -> None:
        """Every entry, folders before what is in them, and the trailer."""
        for number, (path, entry) in enumerate(sorted(self.entries.items()), 1):
            record_write(file, path, entry, number)
        record_write(file, "TRAILER!!!", Entry(0), 0)


def record_write(file, path: str, entry: Entry, number: int) -> None:
    """One record of the newc format: 110 bytes of header, name, data, each padded to 4."""
    name, data = path.encode() + b"\0", entry.data()
    if len(data) > SIZE_MAX:
        raise TernError(f"{path} is too large for an initramfs: {len(data)} bytes")
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(data), 0, 0, *entry.device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    file.write(head + bytes(-len(head) % ALIGN))
    file.write(data)
    file.write(bytes(-len(data) % ALIGN))


def modules_folder(root: Path) -> Path:
    """lib/modules/VERSION of an unpacked kernel package."""
    found = sorted(path for folder in ("lib/modules", "usr/lib/modules") for path in root.glob(f"{folder}/*") if path.is_dir())
    if len(found) != 1:
        raise TernError(f"{root} has {len(found)} kernels' modules, not one")
    return found[0]


def module_depends(path: Path) -> list[str]:
    """The modules that a module names as needed, in its .modinfo."""
    found = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    return [name for name in (found[1].decode("ascii", "replace") if found else "").split(",") if name]
