"""Modules in the memory of a snapshot that pages meet only when they import them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nextauth_py.bundle.pyodide.deferred_modules import defer

NAMES = ("house", "house.room", "house.garden", "shed")


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "house").mkdir()
    (tmp_path / "house/__init__.py").write_text("")
    (tmp_path / "house/room.py").write_text("import house.garden, shed")
    (tmp_path / "house/garden.py").write_text("")
    (tmp_path / "shed.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    importlib.import_module("house.room")
    yield
    sys.meta_path[:] = finders
    for name in NAMES:
        sys.modules.pop(name, None)


def test_modules_set_aside_are_as_if_never_imported() -> None:
    house = importlib.import_module("house")
    defer(["house.room", "shed"])
    assert "house.room" not in sys.modules
    assert "shed" not in sys.modules
    assert not hasattr(house, "room")
    assert hasattr(house, "garden")


def test_to_import_one_brings_all_back_as_they_were() -> None:
    before = {name: sys.modules[name] for name in NAMES}
    specs = {name: module.__spec__ for name, module in before.items()}
    defer(["house.room", "shed"])
    assert importlib.import_module("shed") is before["shed"]
    assert {name: sys.modules[name] for name in NAMES} == before
    assert {name: sys.modules[name].__spec__ for name in NAMES} == specs
    assert importlib.import_module("house").room is before["house.room"]


def test_a_package_set_aside_with_its_modules_comes_back_with_them() -> None:
    before = importlib.import_module("house.garden")
    defer(NAMES)
    assert importlib.import_module("house.garden") is before
    assert sys.modules["house"].garden is before


def test_other_imports_leave_them_aside() -> None:
    defer(["shed"])
    importlib.import_module("json.tool")
    assert "shed" not in sys.modules
