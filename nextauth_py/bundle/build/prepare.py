"""Prepare what a page's Python starts from: packages as files, and its memory after importing them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zipfile import ZIP_STORED

from .content_addressed import compressed, content_addressed
from .errors import BundleError
from .memory import Memory
from .node import node_command, node_environment
from .places import NODE, PAGE, PYODIDE
from .wheel import Wheel, unzipped, zipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCRIPT = NODE / "snapshot.mjs"
CHECKED = PAGE / "checked.mjs"
WARM_UP = PYODIDE / "warm_up.py"
STAGE = {
    "nextauth_py_deferred_modules.py": PYODIDE / "deferred_modules.py",
    "nextauth_py_reseed.py": PYODIDE / "reseed.py",
}
PYSCRIPT_SOURCES = "pyscript/stdlib/pyscript.js"

CODE = ("/pydantic_core.bin", "/pyodide.bin")  # WebAssembly

# For editors, type checkers and auditors.
UNREAD = re.compile(r".*\.pyi|.*/py\.typed|.*/sboms/.*")

# Python's memory says whether it may wait for a promise in the middle of a call. Most browsers let it.
SUSPENDING = "--experimental-wasm-jspi"


def prepared_files(
    own: Wheel, *, runtime: Path, lock: Mapping[str, Any], snapshot: bool
) -> dict[str, bytes | Path]:
    """The interpreter that pages name, and the files that it starts from.

    Args:
        own: This package's wheel, compiled; the others are in the runtime.
        runtime: The folder with PyScript and Pyodide.
        lock: The lock file of all wheels.
        snapshot: Whether to keep the memory.

    Returns:
        The contents, or where they are, by path in the bundle.

    Raises:
        BundleError: There is no Node, or Pyodide does not run in it.
    """
    pyodide = runtime / "pyodide"
    place = _place([own, *_others(pyodide, lock)], lock["info"]["python"])
    facts: dict[str, Any] = {
        "lock": lock,
        "packages": sorted(lock["packages"]),
        "module": _name_of("pyodide.asm.mjs", pyodide),
        "folder": place.folder,
        "library": place.library,
        "checked": content_addressed(CHECKED.name, CHECKED.read_bytes()),
    }
    made = _rehearse(facts, place, runtime, snapshot=snapshot)
    files = place.files | made.compiled
    replaced, parts = _parts(place, b"".join(files.values()), made.memory, pyodide)
    facts |= {
        "files": _sizes(files),
        "replaced": replaced,
        "parts": {kind: part.facts() for kind, part in parts.items()},
        "snapshot": made.memory.facts() if made.memory else None,
    }
    return {
        "pyodide/preload.mjs": PAGE / "preload.mjs",
        f"pyodide/{facts['checked']}": CHECKED,
        **{f"pyodide/{part.name}": part.content for part in parts.values()},
        "pyodide/interpreter.mjs": render_template("interpreter.mjs", {"bundle": json.dumps(facts)}),
    }


@dataclass(frozen=True)
class Part:
    """A file that the interpreter inflates.

    Attributes:
        name: Its path beside the interpreter.
        content: Its bytes.
        size: How many bytes it has once inflated.
        hash: Their SHA-256, in Base64.
    """

    name: str
    content: bytes
    size: int
    hash: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        """The content, compressed."""
        hashed, packed = compressed(name, content)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        return cls(hashed, packed, len(content), digest)

    def facts(self) -> dict[str, Any]:
        """Return the metadata by which the interpreter finds and checks the part."""
        is_code = self.name.endswith(CODE)
        return {"name": self.name, "size": self.size, "hash": self.hash, "isCode": is_code}


def _parts(
    place: Place, contents: bytes, memory: Memory | None, pyodide: Path
) -> tuple[dict[str, str], dict[str, Part]]:
    """Return which of Pyodide's files are replaced, and all parts that pages load."""
    parts = {
        "code": Part.of("pydantic_core.bin", place.code),
        "contents": Part.of("packages.bin", contents),
    }
    if memory:
        code = _name_of("pyodide.asm.wasm", pyodide)
        parts["pyodide"] = Part.of("pyodide.bin", (pyodide / code).read_bytes())
        parts["snapshot"] = Part.of("snapshot.bin", b"".join(memory.parts))
        return {"pyodide": code}, parts
    # The code had better come as it is: browsers then keep what they have compiled of it. And they inflate
    # the standard library faster than Python does, which imports much of it.
    stdlib = _name_of("python_stdlib.zip", pyodide)
    parts["stdlib"] = Part.of("stdlib.bin", zipped(unzipped(pyodide / stdlib), method=ZIP_STORED))
    return {"stdlib": stdlib}, parts


def _name_of(file: str, pyodide: Path) -> str:
    """The path of a file in the folder of its hash."""
    (path,) = pyodide.glob(f"*/{file}")
    return path.relative_to(pyodide).as_posix()


def render_template(name: str, values: Mapping[str, str]) -> bytes:
    """A script for pages with values, as JSON, for some of its variables.

    Raises:
        BundleError: It has no such variable.
    """
    script = (PAGE / name).read_text("utf-8")
    for variable, value in values.items():
        head, empty, tail = script.partition(f"const {variable} = {{}};")
        if not empty:
            raise BundleError(f"{name} has no place for {variable!r}")
        script = f"{head}const {variable} = {value};{tail}"
    return script.encode()


@dataclass(frozen=True)
class Place:
    """Packages and the folder in which a page's Python finds them.

    Attributes:
        files: The contents by path.
        folder: What ``sys.path`` needs besides.
        library: Where the one shared library is; empty there, because it is loaded before there are files.
        code: Its WebAssembly.
    """

    files: dict[str, bytes]
    folder: str
    library: str
    code: bytes


def _others(folder: Path, lock: Mapping[str, Any]) -> list[Wheel]:
    entries = (entry for name, entry in lock["packages"].items() if name != "nextauth-py")
    return [Wheel.read(folder / entry["file_name"]) for entry in entries]


def _place(wheels: Iterable[Wheel], python: str) -> Place:
    """Lay packages out as files: importing a module from an archive takes twice as long.

    Not where Python looks for packages: Pyodide would read their metadata while it boots.
    """
    folder = f"/lib/python{python.rpartition('.')[0]}/bundled-packages"
    files = {
        f"{folder}/{name}": content
        for wheel in wheels
        for name, content in wheel.files.items()
        if not UNREAD.fullmatch(name)
    }
    (library,) = (path for path in files if path.endswith(".so"))
    code = files[library]
    return Place(files | {library: b""}, folder, library, code)


def _sizes(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    return [(path, len(content)) for path, content in files.items()]


@dataclass(frozen=True)
class Rehearsal:
    """The result of a warm-up: PyScript's modules, compiled, and the memory."""

    compiled: dict[str, bytes]
    memory: Memory | None


def _rehearse(facts: Mapping[str, Any], place: Place, runtime: Path, *, snapshot: bool) -> Rehearsal:
    with tempfile.TemporaryDirectory(prefix="nextauth-py-") as name:
        folder = Path(name)
        (folder / "code").write_bytes(place.code)
        (folder / "contents").write_bytes(b"".join(place.files.values()))
        plan = {
            "pyodide": str((runtime / "pyodide").resolve()),
            "sources": str((runtime / PYSCRIPT_SOURCES).resolve()),
            "stage": {name: path.read_text("utf-8") for name, path in STAGE.items()},
            "rehearsal": WARM_UP.read_text("utf-8"),
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
        [*node, *flags, str(SCRIPT), str(folder)],
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
