"""What users call has types, and editors know them: two type checkers read pages as users write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from demo.serve import install_packages
from nextauth_py.bundle.build.node import node_command, node_environment
from tests import typed

FOLDER = Path(typed.__file__).parent
PAGES = ["page.py", "server.py"]


def test_mypy_finds_no_fault_with_a_users_page() -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=../../.mypy_cache/typed"]
    done = subprocess.run([*mypy, *PAGES], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


def test_pyright_finds_no_fault_with_a_users_page() -> None:
    install_packages(FOLDER, "Pyright, Biome and TypeScript")
    pyright = [*node_command(), "node_modules/pyright/index.js", "--pythonpath", sys.executable]
    done = subprocess.run(
        pyright, cwd=FOLDER, env=node_environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("0 errors"), done.stdout + done.stderr
