"""`nextauth-py bundle`, without the network: the runtime's files are stand-ins."""

from __future__ import annotations

import ast
import base64
import csv
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import parse_wheel_filename

from nextauth_py.bundle import BundleError, build_bundle
from nextauth_py.bundle.build import assemble as build
from nextauth_py.bundle.build import node, places, prepare, runtime
from nextauth_py.bundle.build.content_addressed import content_addressed, move_to_content_addresses
from nextauth_py.bundle.build.folder import STAMP, Folder
from nextauth_py.bundle.build.lock import lock_entry
from nextauth_py.bundle.build.memory import PAGE, Memory, _runs
from nextauth_py.bundle.build.minify import minified, stripped
from nextauth_py.bundle.build.precompile import precompiled
from nextauth_py.bundle.build.prepare import Rehearsal
from nextauth_py.bundle.build.wheel import PACKAGE, Wheel, own_wheel, zipped
from nextauth_py.bundle.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


# Our own wheel


def test_the_same_sources_give_the_same_wheel(package: Path) -> None:
    first = own_wheel(package)
    for path in package.rglob("*.py"):
        os.utime(path, (1, 1))
    assert own_wheel(package).file_name == first.file_name
    assert own_wheel(package).to_bytes() == first.to_bytes()
    with zipfile.ZipFile(io.BytesIO(first.to_bytes())) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_a_page_gets_nothing_that_only_readers_need_but_every_statement_on_its_line() -> None:
    source = '''\
"""The module.

It goes on, and on: ö.
"""  # noqa: D400

if TYPE_CHECKING:
    from x import (  # why
        Y,
    )

    def h(x: int) -> None: ...  # the last line

@dataclass
class A:  # why
    """One line.

    And others.
    """

    text: str = """\x20
        # not a comment
"""

    async def f(self, ä: Y[int], b: str = "->", *, c: "Callable[[], None]" = print) -> dict[str, Y]:
        """Not only docstrings.

        Raises:
            ValueError: Never.
        """

    def g(
        self,
        a: Y  # why
        | None,
    ) -> None:
        self.a: Y | None = a
'''
    short = stripped(source)
    assert [line for line in short.splitlines() if line] == [
        "@dataclass",
        "class A:",
        ' "-"',
        ' text: int = """ ',
        "        # not a comment",
        '"""',
        ' async def f(self, ä, b = "->", *, c = print):',
        "  ...",
        " def g(",
        "  self,",
        "  a,",
        " ):",
        "  self.a = a",
    ]
    assert len(short.splitlines()) == len(source.splitlines())


def statements(source: str) -> tuple[str, list[int]]:
    """What a module does, and on which lines."""
    tree = ast.parse(source)
    for block in ast.walk(tree):
        if isinstance(block, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            block.body = [each for each in block.body if not is_text(each) and not is_for_type_checkers(each)]
        if isinstance(block, (ast.FunctionDef, ast.AsyncFunctionDef)):
            block.returns = None
        if isinstance(block, ast.arg):
            block.annotation = None
    tree = WithoutAnnotations().visit(tree)
    return ast.dump(tree), [each.lineno for each in ast.walk(tree) if isinstance(each, ast.stmt)]


class WithoutAnnotations(ast.NodeTransformer):
    """Makes plain assignments of those to attributes, and gives all variables and fields the same type."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if isinstance(node.target, ast.Name):
            node.annotation = ast.Constant(None)
        elif node.value is not None:
            return ast.copy_location(ast.Assign([node.target], node.value), node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        return None if node.module in {"__future__", "typing", "collections.abc"} else node


def is_for_type_checkers(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(ast.Name("TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=[ast.Name("Protocol"), *_]):
            return True
        case ast.FunctionDef(decorator_list=[ast.Name("overload"), *_]):
            return True
    return False


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_what_a_page_gets_does_what_the_source_does(path: Path) -> None:
    source = path.read_text("utf-8")
    assert statements(stripped(source)) == statements(source)
    compile(minified(source), path, "exec")


def test_what_is_for_type_checkers_is_not_in_a_page() -> None:
    source = '''\
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

S = TypeVar("S")
_OWN = 1

class Reader(Protocol):
    """Only for annotations."""

class A(Generic[S]):
    @overload
    def f(self, value: int) -> int: ...
    def f(self, value: Any) -> Any:
        shown = value or _OWN
        return not shown
'''
    assert (
        minified(source)
        == """\
from typing import Generic,TypeVar
S=TypeVar('S')
B=1
class A(Generic[S]):
\tdef f(C,value):A=value or B;return not A"""
    )


def test_a_minified_package_works(tmp_path: Path) -> None:
    for name, content in own_wheel().files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    shutil.copytree(PACKAGE / "testing", tmp_path / "nextauth_py/testing")
    story = """
import nextauth_py
from nextauth_py import SessionProvider, component, sign_in, sign_out, use_session
from nextauth_py.testing import Browser

def page():
    SessionProvider(refetch_interval=60).start()
    component("#account")(lambda: use_session().status)

with Browser() as browser:
    browser.server.add_user("alice", "wonder")
    one, other = browser.open_tab(), browser.open_tab()
    one.run(page), other.run(page)
    assert one.run(sign_in("credentials", username="alice", password="wonder", redirect=False)).ok
    print(nextauth_py.__file__, one.text("#account"), other.text("#account"), len(browser.requests))
    browser.advance(61)
    other.run(sign_out(redirect=False))
    print(one.text("#account"), one.errors + other.errors)
"""
    run = subprocess.run(
        [sys.executable, "-c", story], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        f"{tmp_path / 'nextauth_py/__init__.py'} authenticated authenticated 6",
        "unauthenticated []",
    ]


def test_pydantic_gets_the_types_of_its_fields() -> None:
    source = "from __future__ import annotations\nfrom pydantic import Field\nclass A: x: str = Field()\n"
    assert stripped(source) == source
    assert "x: int" in stripped(source.replace("pydantic", "elsewhere"))


def test_a_changed_source_gives_the_wheel_another_name(package: Path) -> None:
    before = own_wheel(package).file_name
    (package / "errors.py").write_text("changed = True")
    assert own_wheel(package).file_name != before


def test_the_wheels_name_is_one_that_installers_read() -> None:
    name, _, build_tag, tags = parse_wheel_filename(own_wheel().file_name)
    assert name == "nextauth-py"
    assert build_tag
    assert {str(tag) for tag in tags} == {"py3-none-any"}


def test_a_page_does_not_download_what_only_servers_and_tests_use(package: Path) -> None:
    for name in (
        "server/__init__.py",
        "testing/__init__.py",
        "testing/memory.py",
        "host/base.py",
        "__pycache__/x.pyc",
        "errors.py",
    ):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).touch()
    names = own_wheel(package).files
    assert "nextauth_py/errors.py" in names
    assert not [name for name in names if "bundle" in name or "memory" in name or "__pycache__" in name]
    assert "nextauth_py/host/base.py" not in names
    assert not [name for name in names if name.startswith(("nextauth_py/server/", "nextauth_py/testing/"))]


def test_a_wheel_with_other_files_has_a_record_of_them(tmp_path: Path) -> None:
    (tmp_path / PYDANTIC.file_name).write_bytes(own_wheel().to_bytes())
    wheel = Wheel.read(tmp_path / PYDANTIC.file_name)
    assert wheel.files == own_wheel().files
    record = next(name for name in wheel.files if name.endswith("/RECORD"))
    other = wheel.with_files({"a.pyc": b"1", record: b""})
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"1").digest()).decode()[:-1]
    assert other.files[record].decode() == f"a.pyc,sha256={digest},1\n{record},,\n"
    assert other.file_name == wheel.file_name


def test_what_is_compiled_is_imported_by_the_same_name() -> None:
    metadata = {"x-1.dist-info/METADATA": b"Name: x\nVersion: 1\n"}
    wheel = Wheel(
        "x-1-py3-none-any.whl", {"one.pyc": b"", "two.py": b"", "three/__init__.pyc": b"", **metadata}
    )
    assert lock_entry(wheel.file_name, wheel.to_bytes())["imports"] == ["one", "three", "two"]


def test_wheels_that_cannot_be_compiled_say_why(tmp_path: Path) -> None:
    lock = tmp_path / "pyodide-lock.json"
    lock.write_text('{"info": {"python": "3.14.2"}}')
    with pytest.raises(BundleError, match=r"could not be compiled:(.|\n)*pyodide\.mjs"):
        precompiled([PYDANTIC], pyodide=tmp_path, lock=lock)


def test_the_wheels_record_lists_every_file_with_its_hash(tmp_path: Path) -> None:
    path = tmp_path / own_wheel().file_name
    path.write_bytes(own_wheel().to_bytes())
    with zipfile.ZipFile(path) as archive:
        record_name = next(name for name in archive.namelist() if name.endswith("/RECORD"))
        rows = {
            name: digest for name, digest, _ in csv.reader(archive.read(record_name).decode().splitlines())
        }
        assert rows.pop(record_name) == ""
        assert rows == {
            name: "sha256="
            + base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).decode()[:-1]
            for name in archive.namelist()
            if name != record_name
        }


def test_the_wheels_metadata_names_its_tag_and_build() -> None:
    wheel = own_wheel()
    text = next(content for name, content in wheel.files.items() if name.endswith("/WHEEL")).decode()
    build_tag = wheel.file_name.split("-")[2]
    assert f"\nBuild: {build_tag}\n" in text
    assert "\nTag: py3-none-any\n" in text


# The lock file


def test_the_lock_finds_a_wheels_modules_and_what_it_always_needs() -> None:
    entry = lock_entry(PYDANTIC.file_name, PYDANTIC.to_bytes())
    assert entry["imports"] == ["pydantic"]
    assert entry["depends"] == ["typing-extensions"]


@pytest.mark.parametrize(
    ("requirement", "is_needed"),
    [
        ('needed ; sys_platform == "emscripten" and python_version >= "3.14"', True),
        ('needed>=2 ; platform_system == "Emscripten"', True),
        ('needed[speed]>=1,<3 ; extra != "x"', True),
        ('needed ; extra == "x"', False),
        ("needed ; extra=='x'", False),
        ('needed ; python_version < "3.12"', False),
        ('needed ; sys_platform == "win32" or platform_machine == "x86_64"', False),
    ],
)
def test_the_lock_names_what_a_wheel_needs_in_a_page(requirement: str, is_needed: bool) -> None:
    metadata = f"Name: X.y\nVersion: 1\nRequires-Dist: {requirement}\n".encode()
    wheel = Wheel("x_y-1-py3-none-any.whl", {"x/__init__.py": b"", "x_y-1.dist-info/METADATA": metadata})
    entry = lock_entry(wheel.file_name, wheel.to_bytes(), {"python": "3.14.2"})
    assert entry["name"] == "x-y"
    assert entry["depends"] == ["needed"] * is_needed


def test_a_script_without_a_place_for_a_value_is_an_error() -> None:
    assert b"const bundle = 7;" in prepare.render_template("interpreter.mjs", {"bundle": "7"})
    with pytest.raises(BundleError, match="no place for 'nothing'"):
        prepare.render_template("interpreter.mjs", {"nothing": "7"})


@pytest.mark.usefixtures("fake")
def test_the_lock_names_every_wheel_with_the_hash_of_its_bytes(out: Path) -> None:
    bundle(out)
    lock = json.loads((out / "pyodide/pyodide-lock.json").read_text())
    wheels = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.glob("pyodide/*.whl")}
    assert {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()} == wheels
    assert len(wheels) == 2
    assert lock["info"] == {"python": "3.14.2"}


@pytest.mark.usefixtures("fake")
def test_a_page_that_asks_for_nextauth_py_gets_pydantic_and_pyodide_http(out: Path) -> None:
    bundle(out)
    lock = json.loads((out / "pyodide/pyodide-lock.json").read_text())
    assert lock["packages"]["nextauth-py"]["depends"] == ["pydantic", "pyodide-http"]
    assert lock["packages"]["nextauth-py"]["imports"] == ["nextauth_py"]


@pytest.mark.usefixtures("fake")
def test_the_config_has_relative_addresses_and_pages_get_the_same_one(out: Path) -> None:
    bundle(out)
    config = json.loads((out / "pyscript.json").read_text())
    assert config["interpreter"] == "./pyodide/interpreter.mjs"
    assert config["packages_cache"] == "passthrough"
    script = (out / "pyscript/page-config.js").read_text()
    assert json.loads(script.partition("const config = ")[2].partition("; //")[0]) == config


# For PyScript from its CDN


def test_for_a_cdn_there_is_only_what_the_cdn_lacks(out: Path, fake: Runtime) -> None:
    fake._add("lit/lit-html.js", b"lit")
    build_bundle(out, cdn=True, report=lambda _: None)
    (wheel,) = out.glob("*.whl")
    files = {name for name in snapshot(out) if not name.startswith(".")}
    assert files == {wheel.name, "pyscript.json", "lit/lit.js", "lit/lit-html.js", *build.SCRIPTS}
    assert json.loads((out / "pyscript.json").read_text()) == {
        "packages": ["pydantic", "pyodide-http", f"./{wheel.name}"],
        "packages_cache": "passthrough",
        "js_modules": {"main": {"./lit/lit.js": "lit"}},
    }
    assert wheel.read_bytes() == own_wheel().to_bytes()


def test_a_bundle_may_change_its_form(out: Path, fake: Runtime) -> None:
    bundle(out)
    whole = snapshot(out).keys()
    build_bundle(out, cdn=True, report=lambda _: None)
    assert not (out / "pyscript").exists()
    bundle(out)
    assert snapshot(out).keys() == whole


# What pages start from


def interpreter(out: Path) -> dict[str, Any]:
    script = (out / "pyodide/interpreter.mjs").read_text()
    facts: dict[str, Any] = json.loads(script.partition("const bundle = ")[2].partition("; //")[0])
    return facts


def part(out: Path, name: str) -> bytes:
    """A file that the interpreter inflates."""
    return gzip.decompress((out / "pyodide" / interpreter(out)["parts"][name]["name"]).read_bytes())


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
def test_what_bears_a_hash_in_its_path_has_that_hash(out: Path) -> None:
    bundle(out)
    hashed = [out / "pyodide" / part["name"] for part in interpreter(out)["parts"].values()]
    assert {path.name for path in hashed} == {
        *("pydantic_core.bin", "packages.bin", "pyodide.bin", "snapshot.bin"),
    }
    for path in hashed:
        assert path.parent.name == hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def test_a_loader_is_told_where_its_parts_are(tmp_path: Path) -> None:
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


# Building again


def test_nothing_is_built_when_nothing_has_changed(out: Path, fake: Runtime) -> None:
    bundle(out)
    before = snapshot(out)
    assert bundle(out) == [f"{out} is up to date."]
    assert snapshot(out) == before
    assert fake.fetched == 1


def test_a_changed_source_replaces_our_wheel_and_leaves_the_runtime(
    out: Path, fake: Runtime, package: Path
) -> None:
    bundle(out)
    before = snapshot(out)
    (package / "errors.py").write_text("changed = True")
    bundle(out)
    after = snapshot(out)
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    for names in (gone, new):
        wheel, packages = sorted(names, key=lambda name: name.endswith("packages.bin"))
        assert "/nextauth_py-" in wheel
        assert packages.endswith("/packages.bin")
    assert [path for path in out.glob("pyodide/*/") if not any(path.iterdir())] == []
    assert all(after[name] == before[name] for name in fake.names())


def test_changed_pins_replace_the_runtime_and_remove_its_old_files(out: Path, fake: Runtime) -> None:
    bundle(out)
    fake.key = "two"
    (fake.folder / "pyscript/core.js").rename(fake.folder / "pyscript/newer.js")
    bundle(out)
    assert (out / "pyscript/newer.js").exists()
    assert not (out / "pyscript/core.js").exists()
    assert (out / "pyscript.json").exists()


def test_node_runs_nothing_that_lies_in_the_folder(
    out: Path, fake: Runtime, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(out)
    places: list[Path] = []

    def compile_at(wheels: Iterable[Wheel], *, pyodide: Path, lock: Path) -> list[Wheel]:
        places.extend([pyodide, lock])
        return list(wheels)

    def rehearse_at(facts: object, place: object, runtime: Path, *, snapshot: bool) -> Rehearsal:
        places.append(runtime)
        return rehearse(facts, place, runtime, snapshot=snapshot)

    monkeypatch.setattr(build, "precompiled", compile_at)
    monkeypatch.setattr(prepare, "_rehearse", rehearse_at)
    (package / "errors.py").write_text("changed = True")
    bundle(out)
    assert len(places) == 3
    assert all(path.is_relative_to(fake.folder) for path in places)


def test_a_lost_file_is_put_back(out: Path, fake: Runtime) -> None:
    bundle(out)
    before = snapshot(out)
    (out / "pyodide/pyodide.mjs").unlink()
    (out / "pyscript.json").write_text("{")
    bundle(out)
    assert snapshot(out).keys() == before.keys()
    assert fake.fetched == 2


@pytest.mark.parametrize("name", ["pyodide/interpreter.mjs", "pyodide/pyodide.mjs", "session-paint.js"])
def test_a_file_of_other_bytes_is_put_right_though_it_is_as_long(out: Path, fake: Runtime, name: str) -> None:
    bundle(out)
    right = (out / name).read_bytes()
    (out / name).write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    bundle(out)
    assert (out / name).read_bytes() == right


def test_a_stamp_that_names_no_files_does_not_make_a_folder_current(out: Path, fake: Runtime) -> None:
    bundle(out)
    right = snapshot(out).keys()
    stamp = json.loads((out / STAMP).read_text())
    for path in [path for path in out.rglob("*") if path.is_file()]:
        path.unlink()
    (out / STAMP).write_text(json.dumps({name: {**part, "files": {}} for name, part in stamp.items()}))
    bundle(out)
    assert snapshot(out).keys() == right


def test_an_interrupted_build_has_no_config_and_is_finished_by_the_next(
    out: Path, fake: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(out)
    fake.key = "two"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bundle(out)
    assert not (out / "pyscript.json").exists()
    bundle(out)
    assert (out / "pyscript.json").exists()
    assert bundle(out) == [f"{out} is up to date."]


def test_a_change_taken_back_after_an_interruption_leaves_nothing_of_it(
    out: Path, fake: Runtime, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(out)
    before = snapshot(out)
    original = (package / "errors.py").read_bytes()
    (package / "errors.py").write_text("changed = True")
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "_write_file", interrupt_at_config(Folder._write_file))
        with pytest.raises(KeyboardInterrupt):
            bundle(out)
    (package / "errors.py").write_bytes(original)
    bundle(out)
    assert snapshot(out).keys() == before.keys()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def interrupt_at_config(write: Callable[..., None]) -> Callable[..., None]:
    def write_or_interrupt(folder: object, name: str, content: object) -> None:
        if name == "pyscript.json":
            raise KeyboardInterrupt
        write(folder, name, content)

    return write_or_interrupt


# Folders of others


@pytest.mark.usefixtures("fake")
def test_a_folder_with_other_files_is_refused_and_left_alone(out: Path) -> None:
    out.mkdir(parents=True)
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="name a new or empty folder"):
        bundle(out)
    assert snapshot(out).keys() == {"thesis.txt"}


@pytest.mark.usefixtures("fake")
def test_a_file_is_refused(out: Path) -> None:
    out.parent.mkdir()
    out.write_text("mine")
    with pytest.raises(BundleError, match="name a new or empty folder"):
        bundle(out)
    assert out.read_text() == "mine"


def test_a_file_added_to_a_bundle_outlives_every_rebuild(out: Path, fake: Runtime) -> None:
    bundle(out)
    (out / "pyodide/own-notes.txt").write_text("mine")
    fake.key = "two"
    bundle(out)
    assert (out / "pyodide/own-notes.txt").read_text() == "mine"


# npm and pip


def no_node_wheel() -> None:
    return None


def test_without_node_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node, "_node_wheel", no_node_wheel)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError) as caught:
        node.npm_command()
    assert 'pip install "nextauth-py[bundle]"' in str(caught.value)


@pytest.mark.skipif(
    os.name == "nt", reason="the stand-in for an old Node is a shell script, which Windows cannot run"
)
@pytest.mark.parametrize(("version", "accepted"), [("v18.20.0", False), ("", False), ("v20.0.0", True)])
def test_only_a_node_that_is_new_enough_is_used(
    version: str, accepted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_node = tmp_path / "node"
    fake_node.write_text(f"#!/bin/sh\necho {version}\n")
    fake_node.chmod(0o755)
    monkeypatch.setattr(node, "_node_wheel", no_node_wheel)
    monkeypatch.setenv("PATH", str(tmp_path))
    if accepted:
        assert node.node_command() == [str(fake_node)]
    else:
        with pytest.raises(BundleError, match="Node 20 or newer"):
            node.node_command()


def test_a_node_from_pip_is_preferred_to_one_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "_node_wheel", lambda: tmp_path)
    assert node.node_command()[0].startswith(str(tmp_path))
    assert all(part.startswith(str(tmp_path)) for part in node.npm_command())


def test_a_failure_of_npm_shows_its_last_words_and_no_traceback(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = [sys.executable, "-c", "print('first'); print('\\n' * 50); print('no route to host'); exit(3)"]
    monkeypatch.setattr(runtime, "npm_command", lambda: failing)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["bundle", str(out)]) == 1
    error = capsys.readouterr().err
    assert "npm failed (exit code 3)" in error
    assert "no route to host" in error
    assert "needs the network" in error
    assert "first\n" not in error
    assert not list((tmp_path / "cache/nextauth-py").iterdir())


def fake_npm(work: Path) -> None:
    for name in ("@pyscript/core/dist/core.js", "@pyscript/core/dist/core.js.map", "lit-html/lit-html.js"):
        path = work / "node_modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('export * from "./core-1.js";')
    lock = work / "node_modules/pyodide/pyodide-lock.json"
    lock.parent.mkdir()
    lock.write_text(json.dumps({"info": {"python": "3.14.2"}, "packages": {"numpy": {}}}))
    for name in runtime.PYODIDE_PARTS:
        (lock.parent / name).write_bytes(b"")
    with zipfile.ZipFile(lock.parent / runtime.LIBRARY, "w") as archive:
        archive.writestr("os.py", b"")
    (lock.parent / "pyodide.mjs").write_text(f"{{response:fetch(n,{{}})}} {' '.join(runtime.PYODIDE_PARTS)}")


def test_lit_html_is_not_changed_blindly(tmp_path: Path) -> None:
    script = tmp_path / "lit-html.js"
    script.write_text("let l=document;l.createElement('b')")
    with pytest.raises(BundleError, match="uses the document in another way"):
        runtime._call_past_markup(script)


def fake_pip(target: Path) -> None:
    target.mkdir(parents=True)
    (target / PYDANTIC.file_name).write_bytes(PYDANTIC.to_bytes())


def test_downloads_are_kept_for_the_next_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(runtime, "_npm_ci", fake_npm)
    monkeypatch.setattr(runtime, "_pip_download", fake_pip)
    monkeypatch.setattr(runtime, "precompiled", lambda wheels, **_where: list(wheels))
    monkeypatch.setattr(
        runtime, "precompiled_library", lambda files, **_where: {f"{name}c": b"" for name in files}
    )
    lines: list[str] = []
    files = runtime.runtime_files(lines.append)
    hashed = {path.name: path for name, path in files.items() if name.count("/") == 2}
    assert hashed.keys() == set(runtime.PYODIDE_PARTS)
    names = {f"pyodide/{content_addressed(each.name, each.read_bytes())}" for each in hashed.values()}
    assert files.keys() - names == {
        *("pyscript/core.js", "lit/lit-html.js", "pyodide/pyodide.mjs"),
        *(f"pyodide/{PYDANTIC.file_name}", runtime.BASE_LOCK),
    }
    with zipfile.ZipFile(hashed[runtime.LIBRARY]) as archive:
        assert archive.namelist() == ["os.pyc"]
    assert files["pyscript/core.js"].read_text().startswith('import "./page-config.js";\n')
    assert json.loads(files[runtime.BASE_LOCK].read_text())["packages"].keys() == {"pydantic"}
    assert "npm" in lines[0]
    lines.clear()
    assert runtime.runtime_files(lines.append) == files
    assert lines == []


def test_a_pyodide_that_loads_its_files_in_another_way_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "LOADS", re.compile("another way"))
    monkeypatch.setattr(runtime, "_precompile", lambda *_where: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(runtime, "_npm_ci", fake_npm)
    monkeypatch.setattr(runtime, "_pip_download", fake_pip)
    with pytest.raises(BundleError, match="loads files in another way"):
        runtime.runtime_files(lambda _channel: None)


def test_an_unwritable_home_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert runtime._cache(print).parent == tmp_path


def test_every_pin_is_checked_by_hash_and_names_no_address() -> None:
    packages = json.loads(places.pinned("package-lock.json").read_text())["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)
    assert not any("resolved" in package for package in packages.values())
    requirements = places.pinned("requirements.txt").read_text().splitlines()
    wheels = [line for line in requirements if line and not line.startswith("#")]
    assert len(wheels) == 6
    assert all("==" in line and "--hash=sha256:" in line for line in wheels)


@pytest.mark.parametrize("name", build.SCRIPTS)
@pytest.mark.usefixtures("fake")
def test_the_scripts_of_pages_are_in_the_bundle(out: Path, name: str) -> None:
    bundle(out)
    assert (out / name).read_bytes() == places.pinned(name).read_bytes()


def test_the_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("nextauth-py 0.")
