"""The same small site in four Python web frameworks, behind the NextAuth server: see ``--server``."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]

# How each is started; "{port}" is its port.
_UVICORN = ("uvicorn", "--log-level", "warning", "--port", "{port}")
COMMANDS = {
    "django": (*_UVICORN, "demo.frameworks.django_app:application"),
    "fastapi": (*_UVICORN, "demo.frameworks.fastapi_app:app"),
    "flask": ("flask", "--app", "demo.frameworks.flask_app", "run", "--port", "{port}"),
    "starlette": (*_UVICORN, "demo.frameworks.starlette_app:app"),
}

PATIENCE = 30  # seconds to start in


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PythonServer:
    """One of the sites, as a process that ends with the block it is used in.

    Args:
        framework: Its name, of `COMMANDS`.
        port: Where it listens, on loopback.
        auth_url: The origin of the NextAuth server in front of it.
    """

    def __init__(self, framework: str, *, port: int, auth_url: str) -> None:
        self._command = [sys.executable, "-m", *(part.format(port=port) for part in COMMANDS[framework])]
        self._port = port
        self._auth_url = auth_url

    def __enter__(self) -> Self:
        environment = {**os.environ, "NEXTAUTH_URL": self._auth_url}
        self._process = subprocess.Popen(self._command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
        last = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > last:
                self.__exit__()
                raise RuntimeError(f"the site did not start: {' '.join(self._command)}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
