"""Files in folders named after a hash of their contents. They never change, so caches may keep them."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

from .errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DIGITS = 8  # enough to tell one build from the next


def content_addressed(name: str, content: bytes) -> str:
    """The file's name in such a folder: ``1f00d5e7/pyodide.asm.wasm``."""
    return f"{hashlib.sha256(content).hexdigest()[:DIGITS]}/{name}"


def compressed(name: str, content: bytes) -> tuple[str, bytes]:
    """A file that the interpreter inflates, under such a name.

    Not one that ends in ``.gz``: some servers have browsers inflate those.
    """
    packed = gzip.compress(content, mtime=0)
    return content_addressed(name, packed), packed


def move_to_content_addresses(folder: Path, names: Iterable[str], *, named_in: str) -> None:
    """Move files to such folders, and tell the script that loads them.

    Raises:
        BundleError: The script does not name them as expected.
    """
    script = folder / named_in
    text = script.read_text("utf-8")
    for name in names:
        if text.count(name) != 1:
            raise BundleError(f"{named_in} does not name {name} once: these versions do not fit together")
        hashed = content_addressed(name, (folder / name).read_bytes())
        text = text.replace(name, hashed)
        (folder / hashed).parent.mkdir(exist_ok=True)
        (folder / name).rename(folder / hashed)
    script.write_text(text, "utf-8")
