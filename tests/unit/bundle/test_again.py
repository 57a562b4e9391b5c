"""Building again, and in folders of others."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nextauth_py.bundle import BundleError
from nextauth_py.bundle.build import assemble as build
from nextauth_py.bundle.build import edits, node, places, prepare, runtime
from nextauth_py.bundle.build.content_addressed import content_addressed
from nextauth_py.bundle.build.folder import STAMP, Folder
from nextauth_py.bundle.build.prepare import Rehearsal
from nextauth_py.bundle.build.wheel import Wheel
from nextauth_py.bundle.cli import main

from .conftest import PYDANTIC, Runtime, bundle, rehearse, snapshot
from .test_edits import CORE, PYTHON

# --- Building again ---


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


# --- Folders of others ---


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
        path.write_text('export * from "./core-12345678.js";\n//# sourceMappingURL=core.js.map\n')
    pyscript = work / "node_modules/@pyscript/core"
    (pyscript / "dist/core-12345678.js").write_text(CORE)
    (pyscript / "src/stdlib").mkdir(parents=True)
    (pyscript / "src/stdlib/pyscript.js").write_text(PYTHON)
    lock = work / "node_modules/pyodide/pyodide-lock.json"
    lock.parent.mkdir()
    lock.write_text(json.dumps({"info": {"python": "3.14.2"}, "packages": {"numpy": {}}}))
    for name in runtime.PYODIDE_PARTS:
        (lock.parent / name).write_bytes(b"")
    with zipfile.ZipFile(lock.parent / runtime.LIBRARY, "w") as archive:
        archive.writestr("os.py", b"")
    (lock.parent / "pyodide.mjs").write_text(f"{{response:fetch(n,{{}})}} {' '.join(runtime.PYODIDE_PARTS)}")


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
    hashed = {path.name: path for name, path in files.items() if re.match("pyodide/.*/", name)}
    assert hashed.keys() == set(runtime.PYODIDE_PARTS)
    names = {f"pyodide/{content_addressed(each.name, each.read_bytes())}" for each in hashed.values()}
    (core,) = [name for name in files if "/core-" in name]
    assert core != "pyscript/core-12345678.js"
    assert files.keys() - names == {
        *(core, "pyscript/core.js", "pyscript/stdlib/pyscript.js", "lit/lit-html.js", "pyodide/pyodide.mjs"),
        *(f"pyodide/{PYDANTIC.file_name}", runtime.BASE_LOCK),
    }
    with zipfile.ZipFile(hashed[runtime.LIBRARY]) as archive:
        assert archive.namelist() == ["os.pyc"]
    start = f'import "./page-config.js";\nexport * from "./{core.removeprefix("pyscript/")}";\n'
    assert files["pyscript/core.js"].read_text() == start
    assert json.loads(files[runtime.BASE_LOCK].read_text())["packages"].keys() == {"pydantic"}
    assert "npm" in lines[0]
    lines.clear()
    assert runtime.runtime_files(lines.append) == files
    assert lines == []


def test_a_pyodide_that_loads_its_files_in_another_way_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "LOADS", re.compile("another way"))
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
