"""The folder OUT: which files in it are ours, and whether they are all there."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

from .errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STAMP = ".nextauth-bundle.json"


class Part(TypedDict):
    """What the stamp says of one part: the hash it was made from, and its files with their sizes."""

    key: str
    files: dict[str, int]


NOTHING: Part = {"key": "", "files": {}}


class Folder:
    """A bundle of several parts, each of them complete or not there.

    Raises:
        BundleError: The folder holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = path / STAMP
        if not self._stamp.exists() and path.exists() and not _is_empty_folder(path):
            raise BundleError(
                f"{path} is neither empty nor a bundle made by this command: name a new or empty folder"
            )
        self._parts = self._read_stamp()

    def is_current(self, part: str, key: str) -> bool:
        """Whether the part was made from what `key` stands for, and none of its files was lost since."""
        known = self._parts.get(part, NOTHING)
        return known["key"] == key and all(self._size(name) == size for name, size in known["files"].items())

    def write(self, part: str, key: str, files: Mapping[str, bytes | Path]) -> None:
        """Replaces the part's files, in the order given.

        The key is stamped last, so a part that was interrupted is not current.
        """
        old = self._parts.get(part, NOTHING)["files"]
        self._set(part, "", {**old, **dict.fromkeys(files, 0)})
        for name, content in files.items():
            self._write_file(name, content)
        for name in old.keys() - files.keys():
            self._remove(self.path / name)
        self._set(part, key, {name: self._size(name) for name in files})

    def remove(self, part: str) -> None:
        """Deletes the part's files."""
        self.write(part, "", {})

    def size(self) -> int:
        """The bytes of all parts."""
        return sum(size for part in self._parts.values() for size in part["files"].values())

    def _read_stamp(self) -> dict[str, Part]:
        try:
            parts: dict[str, Part] = json.loads(self._stamp.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return parts

    def _set(self, part: str, key: str, files: dict[str, int]) -> None:
        self._parts[part] = {"key": key, "files": files}
        self._write_file(STAMP, json.dumps(self._parts, indent=1).encode())

    def _size(self, name: str) -> int:
        try:
            return (self.path / name).stat().st_size
        except OSError:
            return -1

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            path.parent.rmdir()

    def _write_file(self, name: str, content: bytes | Path) -> None:
        """By a rename, because a server may be reading the folder."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            if isinstance(content, bytes):
                unfinished.write_bytes(content)
            else:
                shutil.copyfile(content, unfinished)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
