#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The cache of unpacked Debian packages, with a stand-in for apt and real .deb files."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host")]

import debcache
from common import TernError, sha256_file

HERE = Path(__file__).resolve().parent


class DebCache(unittest.TestCase):
    """packages_get against lists, archive, disk and cache in every condition."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tern-debcache-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        programs, self.state = self.folder / "bin", self.folder / "apt"
        programs.mkdir()
        (self.state / "debs").mkdir(parents=True)
        for name in ("apt-get", "apt-cache"):
            (programs / name).symlink_to(HERE / "fake_apt.py")
        self.cache = self.folder / "cache"
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "FAKE_APT": str(self.state), "TERN_CACHE": str(self.cache)}
        patches = [mock.patch.dict(os.environ, environment), mock.patch("sys.stderr"), mock.patch("os.geteuid", lambda: 1000)]
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop("TERN_INSTALL", None)
        self.records: list[str] = []

    def package(self, name: str, version: str = "1:2.0-3", files: dict[str, str] | None = None, depends: str = "") -> Path:
        """Makes a package and puts it into archive and lists."""
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: x <x@x>\nDescription: x\n"
        )
        for path, text in (files or {f"usr/share/{name}": name}).items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        deb = self.state / "debs" / f"{name}_{version.replace(':', '%3a')}_amd64.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(deb)], check=True, capture_output=True)
        record = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nDepends: {depends}\n"
        record += f"Filename: pool/{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {sha256_file(deb)}\nDescription: x\n"
        self.records = [text for text in self.records if not text.startswith(f"Package: {name}\n")] + [record]
        (self.state / "records.txt").write_text("\n\n".join(self.records))
        return deb

    def calls(self) -> str:
        """What apt was asked since the last look."""
        path = self.state / "calls.txt"
        text = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return text

    def refused(self, pattern: str, *names: str) -> None:
        """packages_get raises one line that matches, and leaves nothing half made."""
        with self.assertRaisesRegex(TernError, pattern) as caught:
            debcache.packages_get(names or ("one",))
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual(list(self.cache.rglob(".partial-*")), [])

    def test_union_of_packages_and_no_apt_the_second_time(self):
        self.package("one")
        self.package("two", files={"usr/bin/two": "2"})
        root = debcache.packages_get(["one", "two"])
        self.assertEqual((root / "usr/share/one").read_text(), "one")
        self.assertEqual((root / "usr/bin/two").read_text(), "2")
        self.assertIn("download", self.calls())
        self.assertEqual(debcache.packages_get(["one", "two"]), root)
        self.assertEqual(self.calls(), "")
        self.assertEqual(debcache.packages_peek(["one", "two"]), root)
        self.assertIsNone(debcache.packages_peek(["one"]))

    def test_meta_package(self):
        self.package("linux-image-6.1.0-9-cloud-amd64", files={"boot/vmlinuz": "kernel"})
        self.package("linux-image-cloud-amd64", depends="kmod, linux-image-6.1.0-9-cloud-amd64 (= 6.1)")
        self.assertEqual((debcache.packages_get([debcache.KERNEL_CLOUD]) / "boot/vmlinuz").read_text(), "kernel")
        self.refused("depends on no xen-", "linux-image-cloud-amd64->xen-")

    def test_offline_and_forbidden_are_fine_once_cached(self):
        self.package("one")
        root = debcache.packages_get(["one"])
        (self.state / "offline").touch()
        (self.state / "records.txt").unlink()
        with mock.patch.dict(os.environ, {"TERN_INSTALL": "no"}):
            self.assertEqual(debcache.packages_get(["one"]), root)

    def test_damaged_tree_is_unpacked_again(self):
        self.package("one")
        root = debcache.packages_get(["one"])
        self.calls()
        for damage in (lambda path: path.write_text("cut"), lambda path: path.unlink(), lambda path: path.chmod(0o4755)):
            damage(root / "usr/share/one")
            self.assertEqual((debcache.packages_get(["one"]) / "usr/share/one").read_text(), "one")
            self.assertNotIn("download", self.calls())
        (root / "usr/share/more").write_text("not from a package")
        self.assertFalse((debcache.packages_get(["one"]) / "usr/share/more").exists())

    def test_damaged_deb_is_downloaded_again(self):
        deb = self.package("one")
        root = debcache.packages_get(["one"])
        self.calls()
        (self.cache / "debs" / deb.name).write_bytes(b"x" * deb.stat().st_size)
        (root / "usr/share/one").unlink()
        self.assertEqual((debcache.packages_get(["one"]) / "usr/share/one").read_text(), "one")
        self.assertIn("download one", self.calls())

    def test_damaged_pick_and_manifest(self):
        self.package("one")
        root = debcache.packages_get(["one"])
        for text in ("", "[]", "{}", "[1]", '[{"name": 1}]', '[{"name": "one", "version": 1, "sha256": []}]', "\0"):
            debcache.pick_path(["one"]).write_text(text)
            self.assertEqual(debcache.packages_get(["one"]), root)
        for text in ("", "[]", '{"tree": 1}', "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")):
            (root / debcache.MANIFEST).write_text(text)
            self.assertEqual(debcache.packages_get(["one"]), root)

    def test_no_lists(self):
        self.refused("no package lists .*run as root: apt-get update")

    def test_root_fetches_the_lists(self):
        self.package("one")
        os.rename(self.state / "records.txt", self.state / "new-records.txt")
        with mock.patch("os.geteuid", lambda: 0):
            self.assertTrue(debcache.packages_get(["one"]).is_dir())

    def test_unknown_package(self):
        self.package("other")
        self.refused("apt knows no package one;")

    def test_no_network(self):
        self.package("one")
        (self.state / "offline").touch()
        self.refused("one cannot be downloaded: .*no network")

    def test_full_disk(self):
        self.package("one")
        (self.state / "full").touch()
        self.refused("is full; free space or set TERN_CACHE")

    def test_cache_cannot_be_written(self):
        self.package("one")
        self.cache.write_text("a file in the way")
        self.refused("cannot write the package cache")

    def test_download_differs_from_the_lists(self):
        self.package("one")
        (self.state / "corrupt").touch()
        self.refused("not what apt's lists promise")

    def test_no_package_at_all_behind_the_lists(self):
        deb = self.package("one")
        deb.write_bytes(b"!<arch>\nno package")
        text = (self.state / "records.txt").read_text().splitlines()
        said = {"Size:": f"Size: {deb.stat().st_size}", "SHA256:": f"SHA256: {sha256_file(deb)}"}
        (self.state / "records.txt").write_text("\n".join(said.get(line.split()[0], line) for line in text))
        self.refused("cannot be unpacked")

    def test_install_forbidden(self):
        self.package("one")
        with mock.patch.dict(os.environ, {"TERN_INSTALL": "no"}):
            self.refused("TERN_INSTALL=no forbids")
        self.assertEqual(self.calls(), "")

    def test_version_that_is_gone(self):
        old = self.package("one", "1.0")
        new = self.package("one", "1.1")
        os.rename(self.state / "records.txt", self.state / "new-records.txt")
        old.unlink()
        self.package("one", "1.0").unlink()
        with mock.patch("os.geteuid", lambda: 0):
            self.assertTrue(debcache.packages_get(["one"]).is_dir())
        self.assertTrue((self.cache / "debs" / new.name).is_file())

    def test_hostile_records(self):
        text = "Package: ../one\nVersion: 1\nArchitecture: amd64\nSize: 1\nSHA256: " + "a" * 64
        self.assertEqual(debcache.records_read(text), [])
        self.assertEqual(debcache.records_read("Package: one\nVersion: 1\nArchitecture: amd64\nSize: x\nSHA256: 12"), [])
        self.assertEqual(debcache.records_read(""), [])

    def test_many_at_once(self):
        self.package("one")
        roots: list[Path] = []
        threads = [threading.Thread(target=lambda: roots.append(debcache.packages_get(["one"]))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(roots), 6)
        self.assertEqual(len(set(roots)), 1)
        self.assertEqual(list(self.cache.rglob(".partial-*")), [])

    def test_missing_of_apt(self):
        self.assertEqual(debcache.apt_missing(["one", "two"]), ["one", "two"])


if __name__ == "__main__":
    unittest.main()
