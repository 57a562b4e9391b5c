"""The sites that `nextauth-py new` writes: installed, bundled, built and started as their README says."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from demo.bootstrap import ROOT
from demo.frameworks import free_port
from demo.serve import install_packages
from nextauth_py.bundle import build_bundle
from nextauth_py.bundle.build.node import node_environment, npm_command
from nextauth_py.starters.site import KINDS, write_site
from tests.browser.browsers import launch_options

BUNDLE = ROOT / "static/dist"
PACKAGES = ROOT / "build/starters"  # the npm packages of each kind, kept while its lock file stays

LAUNCH_OPTIONS = launch_options()  # asked for here, before Playwright runs

PATIENCE = 60  # seconds to start in


class Starter:
    """A site of a kind, which runs in the block that it is used in.

    Attributes:
        kind: As for ``--with``.
        folder: Where it is.
        origin: Where it is reached.
        url: The same with its base path.
        auth_path: Where its auth routes are.
        auth: Both, as options of `sign_in_as`.
    """

    def __init__(self, kind: str, folder: Path, *, base_path: str = "") -> None:
        self.kind = kind
        self.folder = folder
        self.base_path = base_path
        self.auth_path = base_path + KINDS[kind].auth_routes
        self._take_ports()
        write_site(folder, kind, base_path=base_path)

    def _take_ports(self) -> None:
        port = free_port()
        self.origin = f"http://localhost:{port}"
        self.url = self.origin + self.base_path
        self.auth = {"base_url": self.origin, "base_path": self.auth_path}
        self._variables = {"PORT": str(port)}
        if self.kind == "fastapi":
            self._variables = {
                "UVICORN_PORT": str(port),
                "NEXTAUTH_URL": f"{self.origin}{self.auth_path}",
                "NEXTAUTH_URL_INTERNAL": f"http://127.0.0.1:{free_port()}{self.auth_path}",
            }

    def once_more(self, **variables: str) -> Starter:
        """The same site, with other environment variables, to be started beside this one."""
        other = copy.copy(self)
        other._take_ports()
        other._variables |= variables
        return other

    def install(self) -> None:
        """What ``npm ci`` and ``npm run bundle`` do, from what is kept of the last time."""
        kept = PACKAGES / self.kind
        kept.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(self.folder / name, kept)
        install_packages(kept, f"the starter for {self.kind}")
        _copy(kept / "node_modules", self.folder / "node_modules")
        build_bundle(BUNDLE)
        _copy(BUNDLE, self.folder / "public/py")

    def npm_run(self, script: str) -> None:
        """Run a script of package.json to its end."""
        subprocess.run(self._npm(script), cwd=self.folder, env=self._environment(), check=True)

    def start_again(self) -> str:
        """Start it on ports that are in use, and return what it prints until it ends."""
        done = subprocess.run(
            self._npm("start"),
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode != 0, done.stdout
        return done.stdout

    def has(self, script: str) -> bool:
        """Whether package.json has it."""
        return script in json.loads((self.folder / "package.json").read_text("utf-8"))["scripts"]

    def run_tests(self, *arguments: str) -> str:
        """Run its own tests in the browser of ours, and return what pytest prints."""
        shutil.copy(Path(__file__).with_name("launching.py"), self.folder / "conftest.py")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            self._npm("start"),
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that npm's children end with it
        )
        last = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > last:
                log = self.log
                self.__exit__()
                raise RuntimeError(f"the site did not start:\n{log}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 15)
        self._process.wait(PATIENCE)
        self._log.close()

    def headers(self, path: str) -> httpx.Headers:
        """The headers of the answer to a request for a page or a file."""
        answer = httpx.get(self.url + path, trust_env=False, follow_redirects=True)
        return answer.raise_for_status().headers

    @property
    def log(self) -> str:
        """What the site has printed."""
        self._log.seek(0)
        return self._log.read()

    def _npm(self, script: str) -> list[str]:
        return [*npm_command(), "run", "--silent", script]

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        own = {"PATH": path, "LAUNCH_OPTIONS": json.dumps(LAUNCH_OPTIONS), "NEXT_TELEMETRY_DISABLED": "1"}
        return {**node_environment(), **own, **self._variables}

    def _answers(self) -> bool:
        """Whether the site and its auth routes are up."""
        try:
            return httpx.get(f"{self.origin}{self.auth_path}/providers", trust_env=False).is_success
        except httpx.TransportError:
            return False


def _copy(source: Path, target: Path) -> None:
    """Copy a folder by links, where the file system has them: in a moment."""
    shutil.copytree(source, target, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
