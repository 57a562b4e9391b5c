"""Our JavaScript: a linter and a type checker read it, by `biome.json` and `jsconfig.json`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from demo.bootstrap import ROOT
from demo.serve import install_packages, install_server
from nextauth_py.bundle.build.node import node_command, node_environment
from tests import typed

FOLDER = Path(typed.__file__).parent
BIOME = ["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off"]
TYPESCRIPT = ["node_modules/typescript/bin/tsc", "--project", "jsconfig.json"]


@pytest.mark.parametrize("command", [BIOME, TYPESCRIPT], ids=["Biome", "TypeScript"])
def test_it_finds_no_fault_with_our_javascript(command: list[str]) -> None:
    install_packages(FOLDER, "Pyright, Biome and TypeScript")
    install_server()  # whose types TypeScript reads
    script, *options = command
    done = subprocess.run(
        [*node_command(), str(FOLDER / script), *options],
        cwd=ROOT,
        env=node_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
