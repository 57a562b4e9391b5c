"""The pinned part of a bundle: PyScript, Pyodide and lit-html from npm, wheels from PyPI, kept in a cache.

npm and pip check every download against the hashes in the pins.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from .content_addressed import move_to_content_addresses
from .edits import (
    call_past_markup,
    evaluate_nothing,
    forget_source_maps,
    let_files_come_from_elsewhere,
    rename_by_content,
)
from .errors import INSTALL_HINT, BundleError
from .lock import LockEntry, lock_entry
from .node import node_environment, npm_command
from .places import digest, own_files, pinned
from .precompile import precompiled, precompiled_library
from .wheel import Wheel, unzipped, zipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Report = Callable[[str], None]

PIN_FILES = ("package.json", "package-lock.json", "requirements.txt")

# What a page may load of each npm package, and the folder it goes to. No source maps: they double the size.
NPM_FILES = (
    ("@pyscript/core/dist", "*.js", "pyscript"),
    ("@pyscript/core/dist", "*.css", "pyscript"),
    ("@pyscript/core/src/stdlib", "pyscript.js", "pyscript/stdlib"),
    ("pyodide", "pyodide.mjs", "pyodide"),
    ("pyodide", "pyodide.asm.*", "pyodide"),
    ("pyodide", "python_stdlib.zip", "pyodide"),
    ("lit-html", "lit-html.js", "lit"),
    ("lit-html", "directive*.js", "lit"),
    ("lit-html/directives", "repeat.js", "lit/directives"),
)

# What pyodide.mjs loads, by names that it has in it; and where it loads all but the script.
LIBRARY = "python_stdlib.zip"
PYODIDE_PARTS = ("pyodide.asm.mjs", "pyodide.asm.wasm", LIBRARY)

# Pyodide 314 is Python 3.14; pip marks its wheels with this platform. Pure wheels fit every platform.
PYODIDE_WHEELS = (
    *("--python-version", "314", "--implementation", "cp", "--abi", "cp314"),
    *("--platform", "pyemscripten_2026_0_wasm32", "--only-binary=:all:"),
)

BASE_LOCK = "pyodide/base-lock.json"
TAIL_LINES = 15  # enough for npm's and pip's reason, not for their logs


def runtime_key() -> str:
    """A hash of the pins, and of the code that turns them into files."""
    return digest(*map(pinned, PIN_FILES), *own_files())


def runtime_files(report: Report) -> dict[str, Path]:
    """The files by their path in the bundle; fetched unless the cache has them.

    Raises:
        BundleError: npm or pip is missing, or failed.
    """
    folder = _cache(report) / runtime_key()
    if not folder.is_dir():
        _fill(folder, report)
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _cache(report: Report) -> Path:
    """Return a cache folder that only this user can write to, because its files are run unchecked."""
    try:
        root = platformdirs.user_cache_path("nextauth-py", appauthor=False)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_own(root):
            report(f"{root} belongs to another user, or others may write to it: not used as a cache.")
            return _temporary_cache()
    except (OSError, RuntimeError):  # no home, or a read-only one
        return _temporary_cache()
    return root if os.access(root, os.W_OK) else _temporary_cache()


def _is_own(folder: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True  # Windows: folders of a user's profile are theirs
    found = folder.stat()
    owners = {found.st_uid, folder.lstat().st_uid}
    return owners == {os.getuid()} and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _temporary_cache() -> Path:
    root = Path(tempfile.mkdtemp(prefix="nextauth-py-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


def _fill(folder: Path, report: Report) -> None:
    """Fill the cache by one rename, so that it is never incomplete."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="new-") as name:
        work, ready = Path(name), Path(name) / "ready"
        with _step(report, "Fetching PyScript, Pyodide and lit-html (npm)"):
            _npm_ci(work)
        with _step(report, "Fetching pydantic and pyodide-http (pip)"):
            _pip_download(ready / "pyodide")
        _copy_npm_files(work / "node_modules", ready)
        _prepare(work / "node_modules", ready, report)
        _rename(ready, folder)


@contextmanager
def _step(report: Report, what: str) -> Iterator[None]:
    report(f"{what}…")
    start = time.monotonic()
    yield
    report(f"  {time.monotonic() - start:.1f} s")


def _npm_ci(work: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pinned(name), work)
    flags = ("--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--logs-max=0")
    cache = f"--cache={work / 'npm-cache'}"  # because the user's may not be writable
    _run([*npm_command(), "ci", *flags, cache], "npm", work)


def _pip_download(target: Path) -> None:
    if not find_spec("pip"):
        raise BundleError(f"pip was not found: {INSTALL_HINT}")
    target.mkdir(parents=True)
    flags = ("--no-deps", "--require-hashes", "--disable-pip-version-check", *PYODIDE_WHEELS)
    pins = str(pinned("requirements.txt"))
    _run([sys.executable, "-m", "pip", "download", *flags, "-r", pins, "-d", "."], "pip", target)


def _run(command: list[str], program: str, folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=node_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        tail = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-TAIL_LINES:])
        raise BundleError(
            f"{program} failed (exit code {done.returncode}):\n{tail}\n"
            f"The first build on a machine needs the network. Does {program} reach its registry from here? "
            "Then run the command again."
        )


def _copy_npm_files(node_modules: Path, ready: Path) -> None:
    for source, pattern, target in NPM_FILES:
        (ready / target).mkdir(parents=True, exist_ok=True)
        for path in sorted((node_modules / source).glob(pattern)):
            shutil.copyfile(path, ready / target / path.name)


def _prepare(node_modules: Path, ready: Path, report: Report) -> None:
    forget_source_maps(path for path in ready.rglob("*") if path.suffix in {".js", ".mjs"})
    _prepare_pyscript(ready / "pyscript")
    with _step(report, "Compiling them (Pyodide, under Node)"):
        _precompile(ready / "pyodide", node_modules / "pyodide")
    let_files_come_from_elsewhere(ready / "pyodide/pyodide.mjs")
    call_past_markup(ready / "lit/lit-html.js")
    move_to_content_addresses(ready / "pyodide", PYODIDE_PARTS, named_in="pyodide.mjs")
    pyodide_lock = json.loads((node_modules / "pyodide/pyodide-lock.json").read_text("utf-8"))
    base_lock = {
        "info": pyodide_lock["info"],
        "packages": _lock_entries(ready / "pyodide", pyodide_lock["info"]),
    }
    (ready / BASE_LOCK).write_text(json.dumps(base_lock, indent=1), "utf-8")


def _prepare_pyscript(folder: Path) -> None:
    (core,) = folder.glob("core-*.js")
    evaluate_nothing(core, folder / "stdlib/pyscript.js")
    rename_by_content(folder)
    entry = folder / "core.js"
    entry.write_text(f'import "./page-config.js";\n{entry.read_text("utf-8")}', "utf-8")


def _precompile(folder: Path, pyodide: Path) -> None:
    """Compile the packages and the standard library, which Pyodide carries as sources."""
    lock = pyodide / "pyodide-lock.json"
    wheels = [Wheel.read(path) for path in folder.glob("*.whl")]
    for wheel in precompiled(wheels, pyodide=pyodide, lock=lock):
        (folder / wheel.file_name).write_bytes(wheel.to_bytes())
    library = folder / LIBRARY
    library.write_bytes(zipped(precompiled_library(unzipped(library), pyodide=pyodide, lock=lock)))


def _lock_entries(folder: Path, info: Mapping[str, str] | None = None) -> dict[str, LockEntry]:
    wheels = sorted(folder.glob("*.whl"))
    entries = [lock_entry(path.name, path.read_bytes(), info) for path in wheels]
    return {entry["name"]: entry for entry in entries}


def _rename(ready: Path, folder: Path) -> None:
    try:
        ready.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another build was faster, with the same files
            raise
