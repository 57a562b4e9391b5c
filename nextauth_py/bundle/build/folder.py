"""The folder OUT: which files in it are ours, and whether they are all there.

Nothing outside OUT is written or deleted. The stamp and whatever else lies in the folder may come from
anywhere, for example with a repository, so names are checked against what a bundle can have, and links below
OUT are refused. OUT itself may be a link. Programs that change the folder meanwhile are not guarded against.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypedDict

from .errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# Its name has no dot in front, because Next.js and others answer a request for such a file with an error. It
# tells visitors the names of files that they can load, and their hashes.
STAMP = "nextauth-bundle.json"
OLD_STAMP = ".nextauth-bundle.json"  # of earlier versions
LONGEST_STAMP = 1_000_000  # bytes; three hundred times what a bundle has
PARTS = ("runtime", "package")

# All that a bundle has ever had. A stamp that names anything else was not written by this command.
_NAME = r"\w(?:[\w.+-]*\w)?"
OURS = re.compile(
    rf"pyscript\.json|session-\w+\.(?:js|html)|nextauth_py-{_NAME}\.whl"
    rf"|pyodide/(?:[0-9a-f]{{8}}/)?{_NAME}\.(?:m?js|json|wasm|zip|bin|whl)"
    rf"|(?:pyscript|lit)/(?:\w+/)?{_NAME}\.(?:js|css)",
    re.ASCII,
)


class Part(TypedDict):
    """What the stamp says of one part: the hash of what it was made from, and its files with their hashes."""

    key: str
    files: dict[str, str]


NOTHING: Part = {"key": "", "files": {}}


class Folder:
    """A bundle of several parts, each of them complete or not there.

    Raises:
        BundleError: The folder holds something else, or its stamp names files that no bundle has.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        stamps = [path / STAMP, path / OLD_STAMP]
        self._stamp = next(filter(os.path.lexists, stamps), stamps[0])
        if not os.path.lexists(self._stamp) and path.exists() and not _is_empty_folder(path):
            raise BundleError(
                f"{path} is neither empty nor a bundle made by this command: name a new or empty folder"
            )
        for stamp in stamps:
            self._check_place(stamp)
        self._parts = self._read_stamp()
        for part in self._parts.values():
            self._check(part["files"])

    def is_current(self, part: str, key: str) -> bool:
        """Whether the part was made from what `key` stands for, and its files are still as they were then."""
        known = self._parts.get(part, NOTHING)
        files = known["files"]
        return known["key"] == key and bool(files) and all(self._hash(name) == files[name] for name in files)

    def write(self, part: str, key: str, files: Mapping[str, bytes | Path]) -> None:
        """Replace the part's files, in the order given.

        The key is stamped last, so a part that was interrupted is not current.

        Raises:
            BundleError: A link, or a folder, is in the place of a file.
        """
        self._check(files)
        old = self._parts.get(part, NOTHING)["files"]
        self._set(part, "", {**old, **dict.fromkeys(files, "")})
        for name, content in files.items():
            self._write_file(name, content)
        for name in old.keys() - files.keys():
            self._remove(self.path / name)
        self._set(part, key, {name: self._hash(name) or "" for name in files})

    def remove(self, part: str) -> None:
        """Delete the part's files."""
        self.write(part, "", {})

    def size(self) -> int:
        """The size of all parts in bytes."""
        return sum(
            (self.path / name).stat().st_size for part in self._parts.values() for name in part["files"]
        )

    def _check(self, names: Iterable[str]) -> None:
        for name in names:
            if not OURS.fullmatch(name):
                raise self._refusal(f"{self._stamp} names {name!r}, which no bundle has")
            path = self.path
            for step in name.split("/")[:-1]:
                path /= step
                if _is_link(path) or (path.exists() and not path.is_dir()):
                    raise self._refusal(f"{path} is not a folder of its own, but a link or a file")
            self._check_place(self.path / name)

    def _check_place(self, path: Path) -> None:
        """A file may be there, or nothing."""
        with suppress(FileNotFoundError, NotADirectoryError):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise self._refusal(f"{path} is not a file of its own, but a link or a folder")

    def _refusal(self, reason: str) -> BundleError:
        return BundleError(f"{reason}: delete it, or name a new or empty folder instead of {self.path}")

    def _read_stamp(self) -> dict[str, Part]:
        try:
            with self._stamp.open("rb") as file:
                content = file.read(LONGEST_STAMP + 1)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        parts = _parse_stamp(content)
        if parts is None:
            raise self._refusal(f"{self._stamp} was not written by this command")
        return parts

    def _set(self, part: str, key: str, files: dict[str, str]) -> None:
        self._parts[part] = {"key": key, "files": files}
        self._write_file(STAMP, json.dumps(self._parts, indent=1).encode())
        (self.path / OLD_STAMP).unlink(missing_ok=True)

    def _hash(self, name: str) -> str | None:
        try:
            with (self.path / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent != self.path:
            with suppress(OSError):  # not empty
                path.parent.rmdir()

    def _write_file(self, name: str, content: bytes | Path) -> None:
        """Write by a rename: a server may be reading the folder, and link targets stay as they are."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        unfinished.unlink(missing_ok=True)  # of a build that was killed, or a link that somebody put there
        try:
            with unfinished.open("xb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


def _parse_stamp(content: bytes) -> dict[str, Part] | None:
    try:
        parts = json.loads(content) if len(content) <= LONGEST_STAMP else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, dict):
        return None
    return parts if all(name in PARTS and _is_part(part) for name, part in parts.items()) else None


def _is_part(part: Any) -> bool:
    match part:
        case {"key": str(), "files": dict(files), **others} if not others:
            return all(map(_is_hash, files.values()))
    return False


def _is_hash(value: Any) -> bool:
    """Whether the value is a hash, None, or a size, as earlier versions wrote it."""
    return (type(value) is int and value >= 0) or (
        isinstance(value, str) and re.fullmatch("(?:[0-9a-f]{64})?", value) is not None
    )


def _is_link(path: Path) -> bool:
    """Whether the path is a symbolic link or a Windows junction."""
    return path.is_symlink() or (sys.version_info >= (3, 12) and path.is_junction())


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
