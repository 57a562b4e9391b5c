"""Entries of `pyodide-lock.json`: how Pyodide finds and checks the wheels beside it."""

from __future__ import annotations

import hashlib
import io
import platform
import re
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING, TypedDict

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def lock_entry(file_name: str, wheel: bytes, info: Mapping[str, str] | None = None) -> LockEntry:
    """The entry for a wheel that lies beside the lock file.

    `pyodide-lock` makes such entries too, but of files on the disk, and finds no modules that are compiled.

    Args:
        file_name: The wheel's.
        wheel: Its bytes.
        info: What the lock file says of its Pyodide; by default it has the Python that runs this.
    """
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = archive.namelist()
        metadata = message_from_bytes(archive.read(_find_metadata(names)))
    return {
        "name": canonicalize_name(metadata["Name"]),
        "version": metadata["Version"],
        "file_name": file_name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel).hexdigest(),
        "package_type": "package",
        "imports": _top_level(names),
        "depends": _required(metadata, (info or {}).get("python", platform.python_version())),
    }


def _find_metadata(names: list[str]) -> str:
    return next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))


def _top_level(names: list[str]) -> list[str]:
    tops = {name.partition("/")[0] for name in names}
    modules = {re.sub(r"\.pyc?$", "", top) for top in tops}
    return sorted(module for module in modules if not module.endswith(".dist-info"))


def _required(metadata: Message, python: str) -> list[str]:
    """What the wheel requires in a page, by the markers of its requirements."""
    page = {
        "extra": "",
        "os_name": "posix",
        "platform_machine": "wasm32",
        "platform_system": "Emscripten",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "emscripten",
    }
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    return sorted(
        {
            canonicalize_name(each.name)
            for each in requirements
            if not each.marker or each.marker.evaluate(page)
        }
    )
