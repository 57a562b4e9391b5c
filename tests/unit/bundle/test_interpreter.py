"""What pages start from."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from nextauth_py.bundle import BundleError
from nextauth_py.bundle.build.content_addressed import move_to_content_addresses
from nextauth_py.bundle.build.memory import PAGE

from .conftest import MEMORY, bundle, interpreter, part


@pytest.mark.usefixtures("fake")
def test_the_interpreter_names_files_that_are_there_and_how_long_they_are(out: Path) -> None:
    bundle(out)
    facts = interpreter(out)
    assert len(part(out, "contents")) == sum(size for _, size in facts["files"])
    assert part(out, "code") == b"\0asm"
    assert part(out, "pyodide") == b"\0asm of Pyodide"
    assert {name: len(part(out, name)) for name in facts["parts"]} == {
        name: described["size"] for name, described in facts["parts"].items()
    }
    hashes = {name: hashlib.sha256(part(out, name)).digest() for name in facts["parts"]}
    assert {name: base64.b64decode(each["hash"]) for name, each in facts["parts"].items()} == hashes
    assert {name for name, each in facts["parts"].items() if each["isCode"]} == {"code", "pyodide"}
    assert (out / "pyodide" / facts["checked"]).exists()
    assert all((out / "pyodide" / name).exists() for name in facts["replaced"].values())
    assert (out / "pyodide" / facts["module"]).exists()
    assert facts["lock"] == json.loads((out / "pyodide/pyodide-lock.json").read_text())
    assert facts["packages"] == ["nextauth-py", "pydantic"]


@pytest.mark.usefixtures("fake")
def test_packages_lie_as_files_where_pyodide_does_not_look_for_them(out: Path) -> None:
    bundle(out)
    facts = interpreter(out)
    sizes = dict(facts["files"])
    folder = "/lib/python3.14/bundled-packages"
    assert facts["folder"] == folder
    assert facts["library"] == f"{folder}/pydantic/_core.so"
    assert sizes[facts["library"]] == 0
    assert sizes["/home/pyodide/pyscript.pyc"] == len(b"compiled")
    assert content_of(out, f"{folder}/nextauth_py/py.typed") is None
    assert b"Name: pydantic" in (content_of(out, f"{folder}/pydantic-2.0.dist-info/METADATA") or b"")
    assert b"ClientFetchError" in (content_of(out, f"{folder}/nextauth_py/errors.py") or b"")


def content_of(out: Path, path: str) -> bytes | None:
    start = 0
    for name, size in interpreter(out)["files"]:
        if name == path:
            return part(out, "contents")[start : start + size]
        start += size
    return None


@pytest.mark.usefixtures("fake")
def test_a_snapshot_is_the_memory_without_its_zeros(out: Path) -> None:
    bundle(out)
    snapshot = interpreter(out)["snapshot"]
    kept = part(out, "snapshot")
    memory = bytearray(snapshot["end"])
    start = 0
    for place, size in snapshot["runs"]:
        memory[place : place + size] = kept[start : start + size]
        start += size
    assert bytes(memory) == MEMORY
    assert len(kept) == snapshot["size"] == PAGE + 16
    assert base64.b64decode(snapshot["head"]) == b"head"
    assert (snapshot["table"], snapshot["handles"]) == (1, [2])


@pytest.mark.usefixtures("fake")
def test_without_a_snapshot_browsers_may_keep_what_they_compile(out: Path) -> None:
    bundle(out, snapshot=False)
    facts = interpreter(out)
    assert facts["replaced"] == {"stdlib": "00000000/python_stdlib.zip"}
    assert not list(out.glob("pyodide/*/pyodide.bin"))
    with zipfile.ZipFile(io.BytesIO(part(out, "stdlib"))) as archive:
        assert archive.read("os.pyc") == b"bytecode"
        assert archive.getinfo("os.pyc").compress_type == zipfile.ZIP_STORED


@pytest.mark.usefixtures("fake")
def test_a_bundle_may_do_without_a_snapshot_and_get_it_later(out: Path) -> None:
    bundle(out, snapshot=False)
    assert interpreter(out)["snapshot"] is None
    assert not list(out.glob("pyodide/*/snapshot.bin"))
    bundle(out)
    assert len(part(out, "snapshot")) == interpreter(out)["snapshot"]["size"]


@pytest.mark.usefixtures("fake")
def test_files_with_a_hash_in_their_path_have_that_hash(out: Path) -> None:
    bundle(out)
    hashed = [out / "pyodide" / part["name"] for part in interpreter(out)["parts"].values()]
    assert {path.name for path in hashed} == {
        *("pydantic_core.bin", "packages.bin", "pyodide.bin", "snapshot.bin"),
    }
    for path in hashed:
        assert path.parent.name == hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def test_a_loader_gets_the_addresses_of_its_parts(tmp_path: Path) -> None:
    (tmp_path / "loader.mjs").write_text('load("part.wasm")')
    (tmp_path / "part.wasm").write_bytes(b"\0asm")
    move_to_content_addresses(tmp_path, ["part.wasm"], named_in="loader.mjs")
    (part,) = tmp_path.glob("*/part.wasm")
    assert (tmp_path / "loader.mjs").read_text() == f'load("{part.parent.name}/part.wasm")'
    assert part.read_bytes() == b"\0asm"


def test_a_loader_that_does_not_name_its_part_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loader.mjs").write_text('load("another.wasm")')
    (tmp_path / "part.wasm").write_bytes(b"\0asm")
    with pytest.raises(BundleError, match="does not name part.wasm"):
        move_to_content_addresses(tmp_path, ["part.wasm"], named_in="loader.mjs")
