"""A bundle that is made in a moment, of a runtime that is none."""

from __future__ import annotations

import gzip
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nextauth_py.bundle import build_bundle
from nextauth_py.bundle.build import assemble as build
from nextauth_py.bundle.build import prepare, runtime
from nextauth_py.bundle.build.memory import PAGE, Memory, _runs
from nextauth_py.bundle.build.prepare import Rehearsal
from nextauth_py.bundle.build.wheel import PACKAGE, Wheel, own_wheel, zipped

PYDANTIC = Wheel(
    "pydantic-2.0-py3-none-any.whl",
    {
        "pydantic/__init__.py": b"",
        "pydantic/_core.so": b"\0asm",
        "pydantic-2.0.dist-info/METADATA": b"Name: pydantic\nVersion: 2.0\n"
        b"Requires-Dist: typing_extensions>=4\nRequires-Dist: email-validator; extra == 'email'\n",
    },
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of our sources that a test may change."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "sources" / "nextauth_py"))


class Runtime:
    """Stands in for npm and PyPI."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = "one"
        self.fetched = 0
        self._add("pyscript/core.js", b"core")
        self._add("pyodide/pyodide.mjs", b"pyodide")
        self._add("pyodide/00000000/pyodide.asm.mjs", b"asm")
        self._add("pyodide/00000000/pyodide.asm.wasm", b"\0asm of Pyodide")
        self._add("pyodide/00000000/python_stdlib.zip", zipped({"os.pyc": b"bytecode"}))
        self._add(f"pyodide/{PYDANTIC.file_name}", PYDANTIC.to_bytes())
        entries = runtime._lock_entries(folder / "pyodide")
        lock = {"info": {"python": "3.14.2"}, "packages": entries}
        self._add(runtime.BASE_LOCK, json.dumps(lock).encode())

    def files(self, report: object) -> dict[str, Path]:
        self.fetched += 1
        return {name: self.folder / name for name in self.names()}

    def names(self) -> list[str]:
        return [p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file()]

    def _add(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


MEMORY = b"\1" * PAGE + bytes(2 * PAGE) + b"\2" * 16


def rehearse(_facts: object, _place: object, _bundle: Path, *, snapshot: bool) -> Rehearsal:
    runs = _runs(MEMORY)
    parts = [MEMORY[start : start + size] for start, size in runs]
    memory = Memory(b"head", parts, runs, len(MEMORY), {"table": 1, "handles": [2]})
    return Rehearsal({"/home/pyodide/pyscript.pyc": b"compiled"}, memory if snapshot else None)


@pytest.fixture
def fake(tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    fake = Runtime(tmp_path / "runtime")
    monkeypatch.setattr(build, "runtime_files", fake.files)
    monkeypatch.setattr(build, "runtime_key", lambda: fake.key)
    monkeypatch.setattr(build, "own_wheel", partial(own_wheel, package))
    # Its Pyodide is none: tests/browser/test_bundle.py has what a real one compiles and remembers.
    monkeypatch.setattr(build, "precompiled", lambda wheels, **_where: list(wheels))
    monkeypatch.setattr(prepare, "_rehearse", rehearse)
    return fake


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "static" / "dist"


def bundle(out: Path, *, snapshot: bool = True) -> list[str]:
    lines: list[str] = []
    build_bundle(out, snapshot=snapshot, report=lines.append)
    return lines


def snapshot(out: Path) -> dict[str, int]:
    return {p.relative_to(out).as_posix(): p.stat().st_ino for p in out.rglob("*") if p.is_file()}


def interpreter(out: Path) -> dict[str, Any]:
    script = (out / "pyodide/interpreter.mjs").read_text()
    facts: dict[str, Any] = json.loads(script.partition("const bundle = ")[2].partition("; //")[0])
    return facts


def part(out: Path, name: str) -> bytes:
    """A file that the interpreter inflates."""
    return gzip.decompress((out / "pyodide" / interpreter(out)["parts"][name]["name"]).read_bytes())
