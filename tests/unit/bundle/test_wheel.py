"""Our own wheel, as pages get it."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from nextauth_py.bundle import BundleError
from nextauth_py.bundle.build.lock import lock_entry
from nextauth_py.bundle.build.minify import minified, stripped
from nextauth_py.bundle.build.precompile import precompiled
from nextauth_py.bundle.build.wheel import PACKAGE, Wheel, own_wheel

from .conftest import PYDANTIC


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


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "starters"
)  # whose templates have t-strings


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_stripped_modules_are_equivalent_to_their_sources(path: Path) -> None:
    source = path.read_text("utf-8")
    assert statements(stripped(source)) == statements(source)
    compile(minified(source), path, "exec")


def test_code_for_type_checkers_is_not_in_a_page() -> None:
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


LEFT_OUT = tuple(f"nextauth_py/{name}/" for name in ("server", "starters", "testing"))


def test_a_page_downloads_no_modules_of_servers_and_tests(package: Path) -> None:
    for name in (
        "server/__init__.py",
        "testing/__init__.py",
        "testing/memory.py",
        "starters/site.py",
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
    assert not [name for name in names if name.startswith(LEFT_OUT)]


def test_a_wheel_with_other_files_has_a_record_of_them(tmp_path: Path) -> None:
    (tmp_path / PYDANTIC.file_name).write_bytes(own_wheel().to_bytes())
    wheel = Wheel.read(tmp_path / PYDANTIC.file_name)
    assert wheel.files == own_wheel().files
    record = next(name for name in wheel.files if name.endswith("/RECORD"))
    other = wheel.with_files({"a.pyc": b"1", record: b""})
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"1").digest()).decode()[:-1]
    assert other.files[record].decode() == f"a.pyc,sha256={digest},1\n{record},,\n"
    assert other.file_name == wheel.file_name


def test_compiled_modules_keep_their_names() -> None:
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
