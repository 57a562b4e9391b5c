"""Where the bundler's own files are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLER = Path(__file__).parents[1]
NODE = BUNDLER / "node"
PYODIDE = BUNDLER / "pyodide"
PAGE = BUNDLER / "page"

_PINS = BUNDLER / "pins"  # in a wheel


def pinned(name: str) -> Path:
    """A file of `static`: in a wheel it lies in the bundler's folder; in a checkout, where it is written."""
    return (_PINS if _PINS.is_dir() else BUNDLER.parents[1] / "static") / name


def own_files() -> Iterator[Path]:
    """The bundler's code: any change of it may change what it builds."""
    suffixes = {".py", ".js", ".mjs"}
    return (
        path for path in sorted(BUNDLER.rglob("*")) if path.suffix in suffixes and _PINS not in path.parents
    )


def digest(*paths: Path) -> str:
    """A hash of the files' contents."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
