"""Two builds of the same sources have the same bytes, on whatever machine, the memory of Python included."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from nextauth_py.bundle.build import runtime

# As the command runs it, but for the downloads, which it takes from a folder, on one machine in reverse.
BUILD = """
import shutil, sys
from pathlib import Path
from nextauth_py.bundle.build import runtime
from nextauth_py.bundle.cli import main

out, downloads, order = sys.argv[1:]

def copy(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*"), reverse=order == "backwards"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)

runtime._npm_ci = lambda work: copy(Path(downloads) / "node_modules", work / "node_modules")
runtime._pip_download = lambda target: copy(Path(downloads) / "wheels", target)
sys.exit(main(["bundle", out]))
"""

# Each build compiles Python and boots it: ten seconds alone, minutes on a machine that has other work.
pytestmark = pytest.mark.timeout(900)

# Two machines: where files lie, who the user is, where the clock stands, what the language is.
HERE = {
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "HOME": "home",
    "USER": "root",
    "PYTHONHASHSEED": "1",
}
THERE = {
    "TZ": "Asia/Kolkata",
    "LANG": "de_AT.UTF-8",
    "LC_ALL": "de_AT.UTF-8",
    "HOME": "another/home/in/a/longer/folder",
    "USER": "somebody-else",
    "NODE_OPTIONS": "--no-warnings",
    "PYTHONHASHSEED": "2",
}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What npm and pip fetch, which is checked by hashes."""
    folder = tmp_path_factory.mktemp("downloads")
    runtime._npm_ci(folder)
    runtime._pip_download(folder / "wheels")
    return folder


def build(place: Path, machine: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    home = place / machine["HOME"]
    (home / "tmp").mkdir(parents=True)
    environment = {
        **os.environ,
        **machine,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(home / "tmp"),
    }
    command = [sys.executable, "-c", BUILD, str(place / "out"), *arguments]
    log: IO[bytes]
    with (place / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def bundles(downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two, built side by side."""
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("elsewhere-and-with-a-longer-name")
    running = {
        here: build(here, HERE, str(downloads), "forwards"),
        there: build(there, THERE, str(downloads), "backwards"),
    }
    for place, process in running.items():
        assert process.wait() == 0, (place / "log").read_text()
    return here / "out", there / "out"


def test_two_machines_build_the_same_bytes(bundles: tuple[Path, Path]) -> None:
    here, there = map(files, bundles)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []
    assert len([name for name in here if name.endswith("/snapshot.bin")]) == 1


def test_nothing_of_the_machine_is_in_them(bundles: tuple[Path, Path]) -> None:
    for name, content in files(bundles[1]).items():
        text = gzip.decompress(content) if name.endswith(".bin") else content
        assert b"longer/folder" not in text, name
        assert b"somebody-else" not in text, name
        assert b"Kolkata" not in text, name
        assert b"+0530" not in text, name


def test_no_script_names_a_file_that_is_not_there(bundles: tuple[Path, Path]) -> None:
    scripts = {name: text for name, text in files(bundles[0]).items() if name.endswith((".js", ".mjs"))}
    assert [name for name, text in scripts.items() if b"sourceMappingURL" in text] == []
