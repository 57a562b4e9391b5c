"""Makes the project's virtual environment on a machine that has only Python and pip, and goes on inside it.

Standard library only: nothing is installed yet when this runs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "installed-for"
OLDEST_PYTHON = (3, 11)


def enter(module: str) -> None:
    """Run the rest of ``python -m module`` with everything that pyproject.toml asks for installed.

    Returns at once when already inside; otherwise never.
    """
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    prepare()
    command = [str(_python()), "-m", module, *sys.argv[1:]]
    if os.name == "nt":  # where exec would let the shell go on
        sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606 - our own Python


def prepare() -> None:
    """Make the environment, unless it is there."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed.")
    if not _is_current():
        _install()


def _python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint() -> str:
    """What the environment is made from: another Python or another list of packages makes it anew."""
    return f"{hashlib.sha256((ROOT / 'pyproject.toml').read_bytes()).hexdigest()} {sys.version} {ROOT}"


def _is_current() -> bool:
    return _python().exists() and STAMP.exists() and STAMP.read_text("utf-8") == _fingerprint()


def _install() -> None:
    print("Installing what the project needs into .venv (about a minute, the first time only)…", flush=True)
    # Without pip: Debian's Python cannot put it there. The pip at hand installs into the new environment.
    venv.create(VENV, clear=True, with_pip=False, symlinks=os.name != "nt")
    pip = [sys.executable, "-m", "pip", "--python", str(_python())]
    done = subprocess.run([*pip, "install", "-qq", "pip", "--editable", f"{ROOT}[dev]"], check=False)
    if done.returncode:
        sys.exit("pip could not install them: see above. pip 22.3 or newer and a network are needed.")
    STAMP.write_text(_fingerprint(), "utf-8")
