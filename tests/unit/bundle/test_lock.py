"""The lock file, and bundles for PyScript from its CDN."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from nextauth_py.bundle import BundleError, build_bundle
from nextauth_py.bundle.build import assemble as build
from nextauth_py.bundle.build import prepare
from nextauth_py.bundle.build.folder import STAMP
from nextauth_py.bundle.build.lock import lock_entry
from nextauth_py.bundle.build.wheel import Wheel, own_wheel

from .conftest import PYDANTIC, Runtime, bundle, snapshot

# --- The lock file ---


def test_the_lock_finds_a_wheels_modules_and_requirements() -> None:
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


# --- For PyScript from its CDN ---


def test_a_bundle_for_a_cdn_has_only_files_that_the_cdn_lacks(out: Path, fake: Runtime) -> None:
    fake._add("lit/lit-html.js", b"lit")
    build_bundle(out, cdn=True, report=lambda _: None)
    (wheel,) = out.glob("*.whl")
    files = snapshot(out).keys() - {STAMP}
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
