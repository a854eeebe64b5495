# SPDX-License-Identifier: MIT
"""Debian packages that are only unpacked, never installed: downloaded once by apt, checked, kept in a cache.

    $TERN_CACHE, or $XDG_CACHE_HOME/tern, or ~/.cache/tern
        debs/NAME_VERSION_ARCH.deb      as downloaded, its SHA-256 that of apt's lists
        roots/KEY/                      packages unpacked into one tree; KEY: a hash over their names and SHA-256
        picks/HASH.json                 which packages a request led to; while it holds, apt is not asked at all

Everything appears by a rename, so that two runs at once do not disturb each other. At each use the tree is held
against what was unpacked (each file's size, mode and time); a damaged one is unpacked again from its .deb files,
and a damaged .deb is downloaded again. Removing the folder gets the newest versions.

A request names packages. `META->BEGINNING` is the package that META depends on whose name begins with BEGINNING
and a digit, e.g. KERNEL_CLOUD. Dependencies are not followed: apt_missing() names them.
"""
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from common import TernError, program_said, progress, sha256_file

KERNEL = "linux-image-amd64->linux-image-"
KERNEL_CLOUD = "linux-image-cloud-amd64->linux-image-"
BUSYBOX = "busybox-static"

ASK_SECONDS, UPDATE_SECONDS, DOWNLOAD_SECONDS, UNPACK_SECONDS = 60, 300, 900, 300
NETWORK = ("-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30")
MANIFEST = ".tern.json"
FULL = re.compile(r"no space left|enough free space|disk quota", re.IGNORECASE)
OFFLINE = re.compile(r"resolv|connect|timed out|unreachable|timeout|network", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """What apt's lists say of one package: `size` in bytes, `sha256` of the .deb file."""

    name: str
    version: str
    architecture: str
    size: int
    sha256: str
    depends: str = ""

    def file_name(self) -> str:
        """Name of the .deb in the cache; a colon of the version is escaped as apt does."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"


class Gone(TernError):
    """The archive no longer has this version of a package; apt's lists name a newer one."""


def cache_folder() -> Path:
    """Where the cache is; it need not exist."""
    if os.environ.get("TERN_CACHE"):
        return Path(os.environ["TERN_CACHE"]).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base).absolute() / "tern"


def tool_run(words: Sequence[str], seconds: float, cwd: Path | None = None) -> tuple[int, str]:
    """Runs a program of Debian's without input; its status and all that it said. Raises TernError if it cannot start or end."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return program_said(words, cwd, environment, seconds)
    except subprocess.TimeoutExpired as error:
        raise TernError(f"{' '.join(words[:2])} did not end within {seconds:g} s; look at the network") from error
    except OSError as error:
        raise TernError(f"{words[0]} cannot be started ({error.strerror}); this needs Debian's apt and dpkg") from error


def install_forbidden() -> bool:
    """Whether the environment forbids to fetch packages."""
    return os.environ.get("TERN_INSTALL") == "no"


def lists_present() -> bool:
    """Whether apt has package lists: a repository offers dpkg, without which there is no Debian."""
    return bool(tool_run(["apt-cache", "madison", "dpkg"], ASK_SECONDS)[1].strip())


def lists_update() -> bool:
    """Fetches apt's lists, if this may be done; whether it was done. Raises TernError if it fails."""
    if os.geteuid() != 0 or install_forbidden():
        return False
    progress("fetching apt's package lists")
    status, said = tool_run(["apt-get", "-q", *NETWORK, "update"], UPDATE_SECONDS)
    progress("")
    if status != 0:
        raise TernError(f"apt-get update fails: {reason_of(said)}; look at the network and /etc/apt/sources.list")
    return True


def reason_of(said: str) -> str:
    """The line of apt's or dpkg's that tells most: the last error, or the last line at all."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"E:|Err:|dpkg-deb: error|tar: ", line)]
    return (errors or lines or ["it said nothing"])[-1][:200]


def records_read(text: str) -> list[Package]:
    """Packages of apt-cache's records. A record without file and hash (one that is only installed) is left out."""
    found = []
    for record in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): *(.*)$", record, re.MULTILINE))
        sha256, size = fields.get("SHA256", ""), fields.get("Size", "")
        if not re.fullmatch(r"[0-9a-f]{64}", sha256) or not size.isdigit():
            continue
        names = (fields.get("Package", ""), fields.get("Version", ""), fields.get("Architecture", ""))
        if all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+:~-]*", name) for name in names):
            found.append(Package(*names, int(size), sha256, fields.get("Depends", "")))
    return found


def package_ask(name: str) -> Package:
    """The candidate of apt's lists for a name. Raises TernError if there is none."""
    words = ["apt-cache", "show", "--no-all-versions", name]
    found = [package for package in records_read(tool_run(words, ASK_SECONDS)[1]) if package.name == name]
    if not found and not lists_present() and lists_update():
        found = [package for package in records_read(tool_run(words, ASK_SECONDS)[1]) if package.name == name]
    if not found and not lists_present():
        raise TernError(f"apt has no package lists to find {name} in; run as root: apt-get update")
    if not found:
        raise TernError(f"apt knows no package {name}; this needs the lists of Debian 12 (apt-get update)")
    return found[0]


def meta_resolve(meta: str, beginning: str) -> str:
    """Name of the package that `meta` depends on and that begins with `beginning` and a digit."""
    depends = package_ask(meta).depends
    found = re.search(rf"(?:^|[ ,|])({re.escape(beginning)}\d[A-Za-z0-9.+-]*)", depends)
    if found is None:
        raise TernError(f"the package {meta} depends on no {beginning}*; it depends on: {depends[:120] or 'nothing'}")
    return found[1]


def request_resolve(request: str) -> Package:
    """The package of one request: a name, or META->BEGINNING."""
    meta, arrow, beginning = request.partition("->")
    return package_ask(meta_resolve(meta, beginning) if arrow else request)


def apt_missing(names: Sequence[str]) -> list[str]:
    """The packages among `names` and all that they depend on which are not installed here."""
    status, said = tool_run(["apt-get", "-s", "--no-install-recommends", "install", *names], ASK_SECONDS)
    if status != 0:
        raise TernError(f"apt cannot tell what {' '.join(names)} needs: {reason_of(said)}")
    return re.findall(r"^Inst (\S+)", said, re.MULTILINE)


def full_disk(said: str = "") -> TernError | None:
    """The error for a full disk, if that is what stopped a tool that said this."""
    folder = cache_folder()
    if FULL.search(said) or shutil.disk_usage(folder).free < 1 << 16:
        return TernError(f"the disk of {folder} is full; free space or set TERN_CACHE to another folder")
    return None


def deb_good(package: Package, path: Path) -> bool:
    """Whether the file is there and is what apt's lists promise."""
    try:
        return path.stat().st_size == package.size and sha256_file(path) == package.sha256
    except OSError:
        return False


def deb_download(package: Package) -> Path:
    """The .deb in the cache, downloaded unless a good one is there. Raises TernError."""
    path = cache_folder() / "debs" / package.file_name()
    if deb_good(package, path):
        return path
    if install_forbidden():
        raise TernError(f"{package.name} is not in {cache_folder()} and TERN_INSTALL=no forbids to download it")
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
        said = deb_fetch(package, Path(folder))
        made = [file for file in Path(folder).iterdir() if file.suffix == ".deb"]
        if len(made) != 1:
            why = reason_of(said)
            hint = "there is no network, or apt's lists are old" if OFFLINE.search(said) else "apt's lists may be old"
            raise full_disk(said) or TernError(f"{package.name} cannot be downloaded: {why}; {hint} (apt-get update)")
        if not deb_good(package, made[0]):
            raise full_disk(said) or TernError(f"the downloaded {package.name} is not what apt's lists promise; try again")
        os.replace(made[0], path)
    return path


def deb_fetch(package: Package, folder: Path) -> str:
    """Runs apt-get download in `folder`, once more with new lists if that may be done; what it said."""
    progress(f"downloading {package.name} {package.version} ({package.size / 1e6:.1f} MB)")
    words = ["apt-get", "-q", *NETWORK, "download", f"{package.name}={package.version}"]
    status, said = tool_run(words, DOWNLOAD_SECONDS, folder)
    if status != 0 and re.search(r"404|Not Found", said) and lists_update():
        newest = package_ask(package.name)
        if newest.version != package.version:
            raise Gone(f"{package.name} {package.version} is gone, apt's new lists have {newest.version}; try again")
        _, said = tool_run(words, DOWNLOAD_SECONDS, folder)
    progress("")
    return said


def tree_state(root: Path) -> str:
    """A hash over name, type, size and time of everything in a tree but the manifest."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*files, *folders]):
            path = os.path.join(folder, name)
            if folder == str(root) and name == MANIFEST:
                continue
            stat = os.lstat(path)
            size = stat.st_size if name in files else 0
            time = stat.st_mtime_ns if name in files else 0
            digest.update(f"{os.path.relpath(path, root)}\0{stat.st_mode:o} {size} {time}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def tree_good(root: Path) -> bool:
    """Whether an unpacked tree is as it was when it was unpacked."""
    try:
        manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        return isinstance(manifest, dict) and manifest.get("tree") == tree_state(root)
    except (OSError, ValueError):
        return False


def deb_unpack(path: Path, root: Path) -> None:
    """Unpacks one .deb into a tree. Raises TernError."""
    status, said = tool_run(["dpkg-deb", "-x", str(path), str(root)], UNPACK_SECONDS)
    if status != 0:
        raise full_disk(said) or TernError(f"{path.name} cannot be unpacked: {reason_of(said)}; remove it and try again")


def key_of(packages: Sequence[Package]) -> str:
    """Name of the tree of these packages: readable, then a hash."""
    text = "\n".join(sorted(f"{package.name} {package.version} {package.sha256}" for package in packages))
    return f"{packages[0].name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def tree_make(packages: Sequence[Package]) -> Path:
    """The unpacked tree of the packages, made unless a good one is there. Raises TernError."""
    roots = cache_folder() / "roots"
    final = roots / key_of(packages)
    if tree_good(final):
        return final
    debs = [deb_download(package) for package in packages]
    roots.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=roots, prefix=".partial-"))
    try:
        root = partial / "root"
        root.mkdir()
        for package, path in zip(packages, debs):
            progress(f"unpacking {package.name}")
            deb_unpack(path, root)
        progress("")
        manifest = {"packages": [asdict(package) for package in packages], "tree": tree_state(root)}
        (root / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        if final.exists() and not tree_good(final):
            os.rename(final, partial / "damaged")
        with contextlib.suppress(OSError):  # another run was faster: its tree is as good
            os.rename(root, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not tree_good(final):
        raise TernError(f"{final} changes while it is made; is the cache shared with another machine? set TERN_CACHE")
    return final


def pick_path(names: Sequence[str]) -> Path:
    """The file that remembers which packages a request led to."""
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    return cache_folder() / "picks" / f"{digest}.json"


def pick_read(names: Sequence[str]) -> list[Package]:
    """The packages that this request led to before; none if it was never made or the file is damaged."""
    try:
        entries = json.loads(pick_path(names).read_text(encoding="utf-8"))
        packages = [Package(**entry) for entry in entries]
        text = all(isinstance(entry[key], str) for entry in entries for key in ("name", "version", "sha256"))
        return packages if text and len(packages) == len(names) else []
    except (OSError, ValueError, TypeError, KeyError):
        return []


def pick_write(names: Sequence[str], packages: Sequence[Package]) -> None:
    """Remembers which packages a request led to."""
    path = pick_path(names)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".partial-", delete=False, encoding="utf-8") as file:
        json.dump([asdict(package) for package in packages], file)
    os.replace(file.name, path)


def resolve(names: Sequence[str]) -> list[Package]:
    """The packages of a request: those of the last time while the cache holds them, else apt's candidates."""
    known = pick_read(names)
    debs = cache_folder() / "debs"
    if known and (tree_good(cache_folder() / "roots" / key_of(known)) or all((debs / p.file_name()).is_file() for p in known)):
        return known
    if install_forbidden():
        raise TernError(f"{' '.join(names)}: not in {cache_folder()} and TERN_INSTALL=no forbids to download packages")
    packages = [request_resolve(name) for name in names]
    pick_write(names, packages)
    return packages


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turns a failed write to the cache into one TernError."""
    try:
        yield
    except OSError as error:
        raise TernError(
            f"cannot write the package cache {cache_folder()}: {error.strerror or error}; free space or set TERN_CACHE"
        ) from error


def packages_get(names: Sequence[str]) -> Path:
    """Root of one tree with all the requested packages unpacked; downloads what the cache lacks.

    Raises TernError with one line: no lists, unknown package, no network, full disk, bad package, TERN_INSTALL=no.
    """
    if not names:
        raise TernError("no package was asked for")
    with disk_errors():
        packages = resolve(names)
        key = cache_folder() / "roots" / key_of(packages)
        if not tree_good(key) and not install_forbidden():
            size = sum(package.size for package in packages) / 1e6
            print(f"tern: unpacks {len(packages)} Debian packages ({size:.1f} MB) below {cache_folder()}", file=sys.stderr)
        try:
            return tree_make(packages)
        except Gone:
            pick_path(names).unlink(missing_ok=True)
            return tree_make(resolve(names))


def packages_peek(names: Sequence[str]) -> Path | None:
    """As packages_get, if the cache has them; fetches nothing."""
    packages = pick_read(names)
    root = cache_folder() / "roots" / key_of(packages) if packages else None
    return root if root is not None and tree_good(root) else None
