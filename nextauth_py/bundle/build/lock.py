"""Entries of `pyodide-lock.json`: how Pyodide finds and checks the wheels beside it."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from email.message import Message


class LockEntry(TypedDict):
    """One package, with the fields that Pyodide reads."""

    name: str
    version: str
    file_name: str
    install_dir: str
    sha256: str
    package_type: str
    imports: list[str]
    depends: list[str]


def lock_entry(file_name: str, wheel: bytes) -> LockEntry:
    """The entry for a wheel that lies beside the lock file."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = archive.namelist()
        metadata = message_from_bytes(archive.read(_find_metadata(names)))
    return {
        "name": canonical_name(metadata["Name"]),
        "version": metadata["Version"],
        "file_name": file_name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel).hexdigest(),
        "package_type": "package",
        "imports": _top_level(names),
        "depends": _required(metadata),
    }


def canonical_name(name: str) -> str:
    """A package's name as the packaging standards compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _find_metadata(names: list[str]) -> str:
    return next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))


def _top_level(names: list[str]) -> list[str]:
    tops = {name.partition("/")[0] for name in names}
    modules = {re.sub(r"\.pyc?$", "", top) for top in tops}
    return sorted(module for module in modules if not module.endswith(".dist-info"))


def _required(metadata: Message) -> list[str]:
    requirements = metadata.get_all("Requires-Dist", [])
    always = (requirement for requirement in requirements if "extra ==" not in requirement)
    return sorted({canonical_name(re.split(r"[^\w.-]", requirement)[0]) for requirement in always})
