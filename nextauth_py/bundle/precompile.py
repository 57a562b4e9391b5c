"""Bytecode instead of sources in wheels: a page that imports them need not compile them at each visit."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BundleError
from .node import node_command, node_environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .wheel import Wheel

SCRIPT = Path(__file__).with_suffix(".mjs")


def precompiled(wheels: Iterable[Wheel], *, pyodide: Path, lock: Path) -> list[Wheel]:
    """The wheels with a ``.pyc`` in place of each ``.py``.

    Only the very interpreter that will run it can write it, so Pyodide does, under Node.

    Args:
        wheels: Those to compile.
        pyodide: The folder of the Pyodide that will run them.
        lock: Its lock file.

    Raises:
        BundleError: There is no Node, or Pyodide does not run in it.
    """
    originals = list(wheels)
    with tempfile.TemporaryDirectory(prefix="nextauth-py-") as name:
        folder = Path(name)
        for wheel in originals:
            _unpack(wheel, folder / wheel.file_name)
        command = [*node_command(), str(SCRIPT), str(pyodide.resolve()), str(lock.resolve()), name]
        done = subprocess.run(
            command,
            env=node_environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise BundleError(f"the wheels could not be compiled:\n{(done.stdout + done.stderr)[-2000:]}")
        return [_with_bytecode(wheel, folder / wheel.file_name) for wheel in originals]


def _unpack(wheel: Wheel, folder: Path) -> None:
    folder.mkdir()
    for name, content in wheel.files.items():
        if name.endswith(".py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def _with_bytecode(wheel: Wheel, folder: Path) -> Wheel:
    files = {}
    for name, content in wheel.files.items():
        compiled = folder / f"{name}c"
        if name.endswith(".py") and compiled.exists():
            files[f"{name}c"] = compiled.read_bytes()
        else:
            files[name] = content
    return wheel.with_files(files)
