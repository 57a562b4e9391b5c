"""Where `nextauth-py bundle OUT` writes and deletes: in OUT, and there only what a bundle has."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from nextauth_py.bundle import BundleError, build_bundle
from nextauth_py.bundle.build import assemble as build
from nextauth_py.bundle.build import precompile, runtime
from nextauth_py.bundle.build.folder import LONGEST_STAMP, OLD_STAMP, OURS, STAMP, Folder
from nextauth_py.bundle.build.wheel import Wheel

MINE = "mine"

linked = pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An earlier bundle."""
    out = tmp_path / "out"
    Folder(out).write("package", "key", {"pyscript.json": b"{}", "lit/lit.js": b"lit"})
    return out


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of the user's, with a file that must stay as it is."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "lit.js").write_text(MINE)
    return folder


def stamped(out: Path, *names: str, size: Any = 0) -> None:
    write_stamp(out, {"package": {"key": "", "files": dict.fromkeys(names, size)}})


def write_stamp(out: Path, content: Any) -> None:
    (out / STAMP).write_text(content if isinstance(content, str) else json.dumps(content))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files(folder)}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def refused(out: Path) -> str:
    """What the command says; it must not have changed anything."""
    before = contents(out.parent)
    with pytest.raises(BundleError) as caught:
        build_bundle(out, report=lambda _: None)
    assert contents(out.parent) == before
    return str(caught.value)


# What the stamp says


@pytest.mark.parametrize(
    "name",
    [
        *("../elsewhere/lit.js", "lit/../../elsewhere/lit.js", "lit/./lit.js", "lit//lit.js", "lit/.."),
        *(
            "/etc/hosts.js",
            "//host/share.js",
            "..\\elsewhere\\lit.js",
            "lit\\lit.js",
            "C:\\lit.js",
            "C:lit.js",
        ),
        *("lit/C:lit.js", "lit/lit.js:stream", "", ".", "..", "lit", "lit/", "lit/lit.js/", "/", " "),
        *(
            "lit/a\0.js",
            "lit/\ud800.js",
            "lit/ö.js",
            "lit/lit.js ",
            "lit/lit.js.",
            "lit/lit.js\n",
            "\nlit/lit.js",
        ),
        *(STAMP, f"lit/{STAMP}", "lit/.js", ".git/config", ".htaccess", "lit/.hidden.js"),
        *("thesis.txt", "index.html", "main.js", "notes/main.js", "lit/thesis.txt", "pyodide/notes.md"),
        *("yours-1.0-py3-none-any.whl", "lit/a/b/c.js", "pyodide/0badc0de/deeper/part.bin", "PYODIDE/x.bin"),
    ],
)
def test_a_stamp_with_unknown_files_is_refused(out: Path, elsewhere: Path, name: str) -> None:
    stamped(out, name)
    told = refused(out)
    assert "which no bundle has: delete it, or name a new or empty folder" in told
    assert contents(elsewhere) == {"lit.js": MINE.encode()}


DEEP = 100_000


@pytest.mark.parametrize(
    "stamp",
    [
        *("", "no JSON", "null", "[]", '"text"', "3", "{", '{"package": NaN}'),
        *("[" * DEEP, '{"package":' * DEEP, f'{{"package": {"[" * DEEP}{"]" * DEEP}}}'),
        *('{"package": []}', '{"package": {}}', '{"package": {"key": "k"}}', '{"package": {"files": {}}}'),
        *('{"package": {"key": 1, "files": {}}}', '{"package": {"key": "k", "files": []}}'),
        '{"package": {"key": "k", "files": {}, "more": 1}}',
        '{"another": {"key": "k", "files": {}}}',
        *(
            f'{{"package": {{"key": "k", "files": {{"lit/lit.js": {size}}}}}}}'
            for size in ("-1", "1.0", "true")
        ),
        *(
            f'{{"package": {{"key": "k", "files": {{"lit/lit.js": {size}}}}}}}'
            for size in ("null", '"1"', "[]")
        ),
        f'{{"package": {{"key": "k", "files": {{"lit/lit.js": {"9" * 5_000}}}}}}}',
        f'{{"package": {{"key": "{"k" * LONGEST_STAMP}", "files": {{}}}}}}',
    ],
    ids=lambda stamp: stamp[:40],
)
def test_a_stamp_of_another_shape_is_refused(out: Path, stamp: str) -> None:
    write_stamp(out, stamp)
    assert "was not written by this command: delete it, or name a new or empty folder" in refused(out)


def test_a_stamp_that_is_no_text_is_refused(out: Path) -> None:
    (out / STAMP).write_bytes(b"\xff\xfe\0{")
    assert "was not written by this command" in refused(out)


def test_a_stamp_that_names_a_folder_is_refused(out: Path) -> None:
    (out / "pyodide/notes.js").mkdir(parents=True)
    (out / "pyodide/notes.js/mine.txt").write_text(MINE)
    stamped(out, "pyodide/notes.js")
    assert "not a file of its own, but a link or a folder" in refused(out)


def test_a_stamp_that_names_a_file_in_a_file_is_refused(out: Path) -> None:
    (out / "pyodide").write_text(MINE)
    stamped(out, "pyodide/a.js")
    assert "pyodide is not a folder of its own, but a link or a file" in refused(out)


def test_a_folder_in_place_of_the_stamp_is_refused(out: Path) -> None:
    (out / STAMP).unlink()
    (out / STAMP).mkdir()
    assert "not a file of its own" in refused(out)


# The stamp of an earlier version, by its earlier name


@pytest.fixture
def old(out: Path) -> Path:
    """An earlier bundle of an earlier version."""
    (out / STAMP).rename(out / OLD_STAMP)
    return out


def test_a_bundle_of_an_earlier_version_is_taken_over(old: Path) -> None:
    assert Folder(old).is_current("package", "key")
    Folder(old).write("package", "new", {"pyscript.json": b"new"})
    assert contents(old).keys() == {STAMP, "pyscript.json"}
    assert Folder(old).is_current("package", "new")


def test_an_old_stamp_beside_the_new_one_counts_for_nothing_and_goes(out: Path) -> None:
    (out / OLD_STAMP).write_text('{"package": {"key": "other", "files": {"pyscript.json": ""}}}')
    assert Folder(out).is_current("package", "key")
    Folder(out).write("package", "new", {"lit/lit.js": b"new"})
    assert contents(out).keys() == {STAMP, "lit/lit.js"}


@pytest.mark.parametrize("name", ["../elsewhere/lit.js", "thesis.txt", STAMP, OLD_STAMP])
def test_an_old_stamp_with_unknown_files_is_refused(old: Path, elsewhere: Path, name: str) -> None:
    (old / OLD_STAMP).write_text(json.dumps({"package": {"key": "", "files": {name: ""}}}))
    assert "which no bundle has" in refused(old)
    assert contents(elsewhere) == {"lit.js": MINE.encode()}


def test_an_old_stamp_of_another_shape_is_refused(old: Path) -> None:
    (old / OLD_STAMP).write_text("[]")
    assert f"{OLD_STAMP} was not written by this command" in refused(old)


@linked
@pytest.mark.parametrize("beside", [True, False], ids=["beside the new one", "alone"])
def test_an_old_stamp_that_is_a_link_is_refused(out: Path, beside: bool) -> None:
    (out.parent / "stamp.json").write_bytes((out / STAMP).read_bytes())
    if not beside:
        (out / STAMP).unlink()
    (out / OLD_STAMP).symlink_to(out.parent / "stamp.json")
    assert "not a file of its own, but a link" in refused(out)


def test_the_stamp_says_nothing_of_the_machine(out: Path) -> None:
    stamp = json.loads((out / STAMP).read_text())
    assert stamp.keys() == {"package"}
    assert stamp["package"].keys() == {"key", "files"}
    assert stamp["package"]["files"].keys() == {"pyscript.json", "lit/lit.js"}


def test_writing_is_limited_to_the_same_names(out: Path) -> None:
    for name in ("../a.js", "main.js", STAMP):
        with pytest.raises(BundleError, match="which no bundle has"):
            Folder(out).write("package", "key", {name: b""})
    assert not (out.parent / "a.js").exists()


def test_all_that_the_command_writes_has_such_a_name() -> None:
    assert [target for _, _, target in runtime.NPM_FILES if not OURS.fullmatch(f"{target}/x.js")] == []
    assert [name for name in (*build.SCRIPTS, runtime.BASE_LOCK) if not OURS.fullmatch(name)] == []


# Links


@linked
@pytest.mark.parametrize("stamps", [True, False], ids=["stamped", "not stamped"])
def test_a_link_to_a_folder_elsewhere_is_refused(out: Path, elsewhere: Path, stamps: bool) -> None:
    (out / "lit/lit.js").unlink()
    (out / "lit").rmdir()
    (out / "lit").symlink_to(elsewhere)
    if not stamps:
        stamped(out)
    for files in ({}, {"lit/lit.js": b"new"}) if stamps else ({"lit/lit.js": b"new"},):
        with pytest.raises(BundleError, match="lit is not a folder of its own, but a link"):
            Folder(out).write("package", "new", files)
    assert contents(elsewhere) == {"lit.js": MINE.encode()}


@linked
@pytest.mark.parametrize("target", ["elsewhere/lit.js", "elsewhere", "nowhere"])
def test_a_link_in_the_place_of_a_file_is_refused(out: Path, elsewhere: Path, target: str) -> None:
    (out / "lit/lit.js").unlink()
    (out / "lit/lit.js").symlink_to(out.parent / target)
    assert "lit.js is not a file of its own, but a link" in refused(out)
    assert contents(elsewhere) == {"lit.js": MINE.encode()}
    assert not (out.parent / "nowhere").exists()


@linked
@pytest.mark.parametrize("target", ["stamp.json", "nowhere"])
def test_a_stamp_that_is_a_link_is_refused(out: Path, target: str) -> None:
    (out / STAMP).rename(out.parent / "stamp.json")
    (out / STAMP).symlink_to(out.parent / target)
    assert "not a file of its own, but a link" in refused(out)
    assert not (out.parent / "nowhere").exists()


@linked
def test_an_empty_folder_may_be_named_by_a_link(tmp_path: Path, elsewhere: Path) -> None:
    (elsewhere / "lit.js").unlink()
    (tmp_path / "link").symlink_to(elsewhere)
    Folder(tmp_path / "link").write("package", "key", {"lit/lit.js": b"new"})
    assert (elsewhere / "lit/lit.js").read_bytes() == b"new"
    assert Folder(tmp_path / "link").is_current("package", "key")


@linked
@pytest.mark.parametrize("target", ["elsewhere/lit.js", "nowhere"])
def test_a_link_in_the_place_of_an_unfinished_file_is_not_followed(
    out: Path, elsewhere: Path, target: str
) -> None:
    for name in (f".{STAMP}.{os.getpid()}", f"lit/.lit.js.{os.getpid()}"):
        (out / name).symlink_to(out.parent / target)
    Folder(out).write("package", "new", {"lit/lit.js": b"new"})
    assert (out / "lit/lit.js").read_bytes() == b"new"
    assert not (out / "lit/lit.js").is_symlink()
    assert contents(elsewhere) == {"lit.js": MINE.encode()}
    assert not (out.parent / "nowhere").exists()


def test_hard_links_elsewhere_are_not_changed(out: Path, elsewhere: Path) -> None:
    (out / "lit/lit.js").unlink()
    os.link(elsewhere / "lit.js", out / "lit/lit.js")
    Folder(out).write("package", "new", {"lit/lit.js": b"new"})
    assert contents(elsewhere) == {"lit.js": MINE.encode()}


@linked
def test_files_of_a_bundle_can_be_read_by_a_web_server(out: Path, tmp_path: Path) -> None:
    private = tmp_path / "private.js"
    private.write_text("lit")
    private.chmod(0o600)
    (tmp_path / "elsewhere.txt").touch()
    Folder(out).write("package", "new", {"lit/lit.js": private, "pyscript.json": b"{}"})
    modes = {path.stat().st_mode for path in files(out)}
    assert modes == {(tmp_path / "elsewhere.txt").stat().st_mode}


def test_emptied_folders_go_and_others_stay(out: Path) -> None:
    (out / "pyodide/mine").mkdir(parents=True)
    Folder(out).remove("package")
    assert sorted(path.name for path in out.iterdir()) == [STAMP, "pyodide"]


# Archives


@pytest.mark.parametrize(
    "name", ["../evil.py", "/evil.py", "a/../../evil.py", "a\\..\\evil.py", "C:evil.py", ""]
)
def test_an_archive_unpacks_nothing_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="lies outside"):
        precompile._unpack({"a.py": b"", name: b"evil"}, tmp_path / "tree")
    assert {path.name for path in files(tmp_path)} == {"a.py"}


@pytest.mark.parametrize("name", ["a.py", "a/b.py", "a/..b/c..py", "a-1.dist-info/METADATA", "a/.hidden"])
def test_an_archive_may_have_any_name_inside_of_it(tmp_path: Path, name: str) -> None:
    precompile._unpack({name: b""}, tmp_path / "tree")


def test_no_wheel_of_ours_is_refused(tmp_path: Path) -> None:
    wheel = Wheel("a-1-py3-none-any.whl", {"a/__init__.py": b"", "a-1.data/scripts/a": b""})
    precompile._unpack(wheel.files, tmp_path / "tree")


# The cache


@linked
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_cache_that_others_may_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "nextauth-py").mkdir()
    (tmp_path / "nextauth-py").chmod(mode)
    lines: list[str] = []
    assert runtime._cache(lines.append).parent != tmp_path
    assert "others may write to it" in lines[0]


@linked
def test_a_cache_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mine = runtime._cache(print)
    assert mine == tmp_path / "nextauth-py"
    assert stat.S_IMODE(mine.stat().st_mode) == 0o700
    monkeypatch.setattr(os, "getuid", lambda: mine.stat().st_uid + 1)
    assert runtime._cache(lambda _: None) != mine
