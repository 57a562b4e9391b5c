"""Compile wheels to bytecode, so that pages need not compile modules at each visit.

Only the very interpreter that will run it can write it, so Pyodide does, under Node.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BundleError
from .node import node_command, node_environment
from .places import NODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .wheel import Wheel

SCRIPT = NODE / "precompile.mjs"

# A path without empty steps and `..`, and without what Windows takes for a drive or a step.
INSIDE = re.compile(r"(?!\.{0,2}(?:/|$))[^/\\:\0]+(?:/(?!\.{0,2}(?:/|$))[^/\\:\0]+)*")


def precompiled(wheels: Iterable[Wheel], *, pyodide: Path, lock: Path) -> list[Wheel]:
    """The wheels with a ``.pyc`` in place of each ``.py``.

    Args:
        wheels: Those to compile.
        pyodide: The folder of the Pyodide that will run them.
        lock: Its lock file.

    Raises:
        BundleError: There is no Node, Pyodide does not run in it, or a wheel has a path that leads out of it.
    """
    originals = list(wheels)
    place = f"/lib/{python_folder(lock)}/site-packages"
    compiled = _compiled([wheel.files for wheel in originals], place, pyodide=pyodide, lock=lock)
    return [wheel.with_files(files) for wheel, files in zip(originals, compiled, strict=True)]


def precompiled_library(files: Mapping[str, bytes], *, pyodide: Path, lock: Path) -> dict[str, bytes]:
    """Compile Python's standard library.

    Raises:
        BundleError: There is no Node, or Pyodide does not run in it.
    """
    archive = python_folder(lock).replace(".", "")
    (compiled,) = _compiled([files], f"/lib/{archive}.zip", pyodide=pyodide, lock=lock)
    return compiled


def python_folder(lock: Path) -> str:
    """Return the name of the standard library's folder for a lock file: ``python3.14``."""
    version: str = json.loads(lock.read_text("utf-8"))["info"]["python"]
    return f"python{version.rpartition('.')[0]}"


def _compiled(
    trees: Sequence[Mapping[str, bytes]], place: str, *, pyodide: Path, lock: Path
) -> list[dict[str, bytes]]:
    """Files by their path, as they will lie in a place of the page's file system."""
    with tempfile.TemporaryDirectory(prefix="nextauth-py-") as name:
        folders = [Path(name) / str(number) for number in range(len(trees))]
        for files, folder in zip(trees, folders, strict=True):
            _unpack(files, folder)
        command = [*node_command(), str(SCRIPT), str(pyodide.resolve()), str(lock.resolve()), name, place]
        done = subprocess.run(
            command,
            env=node_environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise BundleError(f"Python could not be compiled:\n{(done.stdout + done.stderr)[-2000:]}")
        return [_with_bytecode(files, folder) for files, folder in zip(trees, folders, strict=True)]


def _unpack(files: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir()
    for name, content in files.items():
        if not INSIDE.fullmatch(name):
            raise BundleError(f"an archive has {name!r}, which lies outside of it: do not use that archive")
        if name.endswith(".py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def _with_bytecode(files: Mapping[str, bytes], folder: Path) -> dict[str, bytes]:
    found = {}
    for name, content in files.items():
        compiled = folder / f"{name}c"
        if name.endswith(".py") and compiled.exists():
            found[f"{name}c"] = compiled.read_bytes()
        else:
            found[name] = content
    return found
