"""A snapshot of Python's memory, as the interpreter of a page puts it back."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

HEAD_FIELDS = 8  # 32-bit words at the start of what Pyodide makes; the second one is the size of the head
PAGE = 64 * 1024  # bytes; as many zeros in a row are left out of a snapshot


@dataclass(frozen=True)
class Memory:
    """A snapshot.

    Attributes:
        head: What Pyodide wants to know of it.
        parts: What is not zero, in order.
        runs: Where each part starts, and its size; in bytes.
        end: The size of all.
        state: What must be the same in a page, and the library's handles.
    """

    head: bytes
    parts: list[bytes]
    runs: list[tuple[int, int]]
    end: int
    state: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Memory:
        """Read the files that `snapshot.mjs` wrote."""
        snapshot = (folder / "snapshot.bin").read_bytes()
        size = memoryview(snapshot)[: 4 * HEAD_FIELDS].cast("I")[1]
        memory = snapshot[size:]
        runs = _runs(memory)
        parts = [memory[start : start + length] for start, length in runs]
        return cls(snapshot[:size], parts, runs, len(memory), json.loads((folder / "state.json").read_text()))

    def facts(self) -> dict[str, Any]:
        """Return the metadata that the interpreter needs to restore the memory."""
        head = base64.b64encode(self.head).decode()
        size = sum(length for _, length in self.runs)
        return {"head": head, "size": size, "runs": self.runs, "end": self.end, **self.state}


def _runs(memory: bytes) -> list[tuple[int, int]]:
    pages = range(0, len(memory), PAGE)
    used = {start for start in pages if memory[start : start + PAGE].strip(b"\0")}
    starts = [start for start in pages if start in used and start - PAGE not in used]
    ends = [start + PAGE for start in pages if start in used and start + PAGE not in used]
    return [(start, min(end, len(memory)) - start) for start, end in zip(starts, ends, strict=True)]
