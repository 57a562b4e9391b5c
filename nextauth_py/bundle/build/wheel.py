"""This package as a wheel for pages, without what only servers, tests and readers need."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .errors import BundleError
from .minify import minified

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(__file__).parents[2]

# For servers, tests and type checkers: `base.py` has nothing but protocols. A page would only download them.
LEFT_OUT = (
    "bundle",
    "check",
    "host/base.py",
    "py.typed",
    "server",
    "starters",
    "testing",
)

# What installers read of the metadata.
HEADERS = ("Metadata-Version:", "Name:", "Version:", "License-Expression:", "Requires-")

EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Wheel:
    """A wheel in memory: its file name, and its files by their path inside."""

    file_name: str
    files: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Self:
        """A wheel as it lies on the disk."""
        return cls(path.name, unzipped(path))

    def with_files(self, files: dict[str, bytes]) -> Wheel:
        """A wheel of that name with other files in it, and the record of them."""
        record = next(name for name in files if name.endswith(".dist-info/RECORD"))
        others = {name: content for name, content in files.items() if name != record}
        return Wheel(self.file_name, {**others, record: _record(others, record)})

    def to_bytes(self) -> bytes:
        """The archive."""
        return zipped(self.files)


def unzipped(path: Path) -> dict[str, bytes]:
    """The files of an archive by their path."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of files by their path; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            archive.writestr(_zip_info(path, method), content, compresslevel=9)
    return buffer.getvalue()


def own_wheel(package: Path = PACKAGE, *, shorten: Callable[[str], str] = minified) -> Wheel:
    """The wheel of the package that is running, from its own files.

    Its build tag is a hash of its contents, so a cache never takes an old wheel for a new one.

    Args:
        package: The package's folder.
        shorten: Makes a module shorter, as `stripped` does where it will be compiled.

    Raises:
        BundleError: The package was not installed, so its metadata is unknown.
    """
    installed = _distribution()
    stem = f"nextauth_py-{installed.version}"
    files = _sources(package, shorten) | _metadata(installed, f"{stem}.dist-info")
    build = f"0{_digest(files)[:8]}"  # a build tag starts with a digit
    files[f"{stem}.dist-info/WHEEL"] = _wheel_file(build)
    files[f"{stem}.dist-info/RECORD"] = _record(files, f"{stem}.dist-info/RECORD")
    return Wheel(f"{stem}-{build}-py3-none-any.whl", files)


def _distribution() -> Distribution:
    try:
        return distribution("nextauth-py")
    except PackageNotFoundError:
        raise BundleError("nextauth-py is not installed; in a checkout: pip install -e .") from None


def _sources(package: Path, shorten: Callable[[str], str]) -> dict[str, bytes]:
    paths = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
    for_pages = sorted(name for name in paths if _is_for_pages(name))
    return {f"{package.name}/{name}": _for_pages(paths[name], shorten) for name in for_pages}


def _for_pages(path: Path, shorten: Callable[[str], str]) -> bytes:
    content = path.read_text("utf-8")
    return (shorten(content) if path.suffix == ".py" else content).encode()


def _is_for_pages(name: str) -> bool:
    if "__pycache__" in name or "/." in f"/{name}":
        return False
    return not any(name == left_out or name.startswith(f"{left_out}/") for left_out in LEFT_OUT)


def _metadata(installed: Distribution, folder: str) -> dict[str, bytes]:
    headers = (installed.read_text("METADATA") or "").partition("\n\n")[0]  # without the README
    lines = [line for line in headers.splitlines() if line.startswith(HEADERS) and "extra ==" not in line]
    files = {f"{folder}/METADATA": "".join(f"{line}\n" for line in lines).encode()}
    if licence := installed.read_text("licenses/LICENSE"):
        files[f"{folder}/licenses/LICENSE"] = licence.encode()
    return files


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in files.items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _wheel_file(build: str) -> bytes:
    return (
        "Wheel-Version: 1.0\n"
        "Generator: nextauth-py bundle\n"
        "Root-Is-Purelib: true\n"
        f"Build: {build}\n"
        "Tag: py3-none-any\n"
    ).encode()


def _record(files: dict[str, bytes], own_path: str) -> bytes:
    lines = [f"{path},{_record_hash(content)},{len(content)}" for path, content in files.items()]
    return "\n".join([*lines, f"{own_path},,", ""]).encode()


def _record_hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


def _zip_info(path: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, EARLIEST_ZIP_DATE)
    info.compress_type = method
    info.external_attr = 0o644 << 16  # without it, unpacked files could not be read
    return info
