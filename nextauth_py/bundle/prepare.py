"""What a page's Python starts from: packages in place, and the memory as it was after their import."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BundleError
from .hashed import hashed_name
from .memory import Memory
from .node import node_command, node_environment
from .wheel import Wheel, zipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent
SCRIPT = HERE / "snapshot.mjs"
REHEARSAL = HERE / "rehearsal.py"
STAGE = {"nextauth_py_aside.py": HERE / "aside.py", "nextauth_py_renewal.py": HERE / "renewal.py"}
PYSCRIPT_SOURCES = "pyscript/stdlib/pyscript.js"

# For editors, type checkers and auditors.
UNREAD = re.compile(r".*\.pyi|.*/py\.typed|.*/sboms/.*")

# Python's memory says whether it may wait for a promise in the middle of a call. Most browsers let it.
SUSPENDING = "--experimental-wasm-jspi"


def prepared_files(
    own: Wheel, *, bundle: Path, lock: Mapping[str, Any], snapshot: bool
) -> dict[str, bytes | Path]:
    """The interpreter that pages name, and the files that it starts from.

    Args:
        own: This package's wheel, compiled; the others lie in the bundle.
        bundle: The folder of the bundle, with the runtime in it.
        lock: The lock file of all wheels.
        snapshot: Whether to keep the memory.

    Returns:
        The contents, or where they are, by path in the bundle.

    Raises:
        BundleError: There is no Node, or Pyodide does not run in it.
    """
    place = _place([own, *_others(bundle / "pyodide", lock)], lock["info"]["python"])
    (module,) = (bundle / "pyodide").glob("*/pyodide.asm.mjs")
    facts: dict[str, Any] = {
        "lock": lock,
        "packages": sorted(lock["packages"]),
        "module": module.relative_to(bundle / "pyodide").as_posix(),
        "library": place.library,
        "path": place.path,
    }
    made = _rehearse(facts, place, bundle, snapshot=snapshot)
    contents = place.files | made.compiled
    packages = b"".join(contents.values())
    files = {
        hashed_name("pydantic_core.wasm", place.code): place.code,
        hashed_name("packages.bin", packages): packages,
    }
    code, name = files
    facts |= {"code": code, "contents": name, "files": _sizes(contents), "snapshot": None}
    if made.memory:
        compressed = gzip.compress(b"".join(made.memory.parts), mtime=0)
        name = hashed_name("snapshot.bin", compressed)
        files[name] = compressed
        facts["snapshot"] = {"name": name, **made.memory.facts()}
    files["interpreter.mjs"] = filled("interpreter.mjs", {"bundle": json.dumps(facts)})
    return {
        "pyodide/preload.mjs": HERE / "preload.mjs",
        **{f"pyodide/{name}": content for name, content in files.items()},
    }


def filled(name: str, values: Mapping[str, str]) -> bytes:
    """A script of this folder with values, as JSON, for some of its variables."""
    script = (HERE / name).read_text("utf-8")
    for variable, value in values.items():
        script = script.replace(f"const {variable} = {{}};", f"const {variable} = {value};")
    return script.encode()


@dataclass(frozen=True)
class Place:
    """Packages where Python finds them.

    Attributes:
        files: The contents by path.
        path: What ``sys.path`` needs besides.
        library: Where the one shared library is; empty there, because it is loaded before there are files.
        code: Its WebAssembly.
    """

    files: dict[str, bytes]
    path: list[str]
    library: str
    code: bytes


def _others(folder: Path, lock: Mapping[str, Any]) -> list[Wheel]:
    entries = (entry for name, entry in lock["packages"].items() if name != "nextauth-py")
    return [Wheel.read(folder / entry["file_name"]) for entry in entries]


def _place(wheels: Iterable[Wheel], python: str) -> Place:
    """One archive of all that is Python, because its files need not be written one by one."""
    site = f"/lib/python{python.rpartition('.')[0]}/site-packages"
    archived: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    for wheel in wheels:
        read = {name: content for name, content in wheel.files.items() if not UNREAD.fullmatch(name)}
        package = _package_with_library(read)
        files |= {f"{site}/{name}": read.pop(name) for name in package}
        archived |= read
    (library,) = (path for path in files if path.endswith(".so"))
    code = files[library]
    files |= {library: b"", f"{site}.zip": zipped(archived)}
    return Place(files, [f"{site}.zip"], library, code)


def _package_with_library(files: Iterable[str]) -> list[str]:
    """The files that must lie outside of an archive, for Python to find a library among them."""
    if not any(name.endswith(".so") for name in files):
        return []
    return [name for name in files if ".dist-info/" not in name]


def _sizes(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    return [(path, len(content)) for path, content in files.items()]


@dataclass(frozen=True)
class Rehearsal:
    """What came of it: PyScript's modules, compiled, and the memory."""

    compiled: dict[str, bytes]
    memory: Memory | None


def _rehearse(facts: Mapping[str, Any], place: Place, bundle: Path, *, snapshot: bool) -> Rehearsal:
    with tempfile.TemporaryDirectory(prefix="nextauth-py-") as name:
        folder = Path(name)
        (folder / "code").write_bytes(place.code)
        (folder / "contents").write_bytes(b"".join(place.files.values()))
        plan = {
            "folder": str((bundle / "pyodide").resolve()),
            "sources": str((bundle / PYSCRIPT_SOURCES).resolve()),
            "code": str(folder / "code"),
            "contents": str(folder / "contents"),
            "stage": {name: path.read_text("utf-8") for name, path in STAGE.items()},
            "rehearsal": REHEARSAL.read_text("utf-8"),
            "bundle": {**facts, "files": _sizes(place.files)},
            "snapshot": snapshot,
        }
        (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
        _run(folder)
        compiled = folder / "compiled"
        paths = sorted(path for path in compiled.rglob("*") if path.is_file())
        return Rehearsal(
            {f"/{path.relative_to(compiled).as_posix()}": path.read_bytes() for path in paths},
            Memory.read(folder) if snapshot else None,
        )


def _run(folder: Path) -> None:
    node = node_command()
    flags = [SUSPENDING] if _succeeds([*node, SUSPENDING, "--version"]) else []
    done = subprocess.run(
        [*node, *flags, str(SCRIPT), str(folder / "plan.json"), str(folder)],
        env=node_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BundleError(f"the snapshot could not be made:\n{(done.stdout + done.stderr)[-2000:]}")


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
