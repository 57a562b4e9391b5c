"""Installs, builds, starts and stops the sites. They are built in ``build/sites``, away from linters."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from demo.bootstrap import ROOT
from demo.frameworks import free_port
from demo.serve import install_packages
from nextauth_py.bundle.build.node import node_command, node_environment

SOURCES = Path(__file__).parent
BUILD = ROOT / "build/sites"

PATIENCE = 60  # seconds to start or to stop in
BUNDLE_STAMP = ".nextauth-bundle.json"


@dataclass(frozen=True)
class Kind:
    """How sites of a framework are built and started.

    Attributes:
        build: Arguments for Node; none if there is nothing to build.
        start: Arguments for Node.
        public: The folder of static files, which are there when the site starts.
        auth_path: Where the auth routes are, below the site's base path.
    """

    build: tuple[str, ...]
    start: tuple[str, ...]
    public: str
    auth_path: str


_VITE = "node_modules/vite/bin/vite.js"
_NEXT = "node_modules/next/dist/bin/next"
NEXT = Kind((_NEXT, "build"), (_NEXT, "start", "--hostname", "127.0.0.1"), "public", "/api/auth")
KINDS = {
    "express": Kind((), ("server.mjs",), "public", "/auth"),
    "next-app": NEXT,
    "next-pages": NEXT,
    "sveltekit": Kind((_VITE, "build"), (".built-sveltekit",), ".built-sveltekit/client", "/auth"),
}


@dataclass(frozen=True)
class Configuration:
    """A site, and how it is built.

    Attributes:
        site: The name of its folder.
        base_path: Where the whole site is.
        matcher: Which ``proxy.MATCHER.ts`` to build it with, instead of ``proxy.ts``.
    """

    site: str
    base_path: str = ""
    matcher: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, [self.site, self.base_path.strip("/"), self.matcher]))

    @property
    def kind(self) -> Kind:
        return KINDS[self.site]

    @property
    def auth_path(self) -> str:
        """Where the auth routes are."""
        return self.base_path + self.kind.auth_path

    @property
    def folder(self) -> Path:
        """Where it is installed and built, beside the other configurations of the site."""
        return BUILD / self.site

    @property
    def built(self) -> Path:
        """What the build writes."""
        return self.folder / f".built-{self}"

    def environment(self) -> dict[str, str]:
        """The environment of the build and of the site."""
        return {
            **node_environment(),
            "AUTH_SECRET": "of the tests",
            "AUTH_TRUST_HOST": "true",
            "NEXTAUTH_SECRET": "of the tests",
            "NEXT_TELEMETRY_DISABLED": "1",
            "NO_COLOR": "1",
            "SITE_BASE_PATH": self.base_path,
            "SITE_BUILD": self.built.name,
        }


def build_all(configurations: Iterable[Configuration], bundle: Path) -> None:
    """Install and build what is not yet there, several sites at a time."""
    sites: dict[str, list[Configuration]] = {}
    for each in configurations:
        sites.setdefault(each.site, []).append(each)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(lambda group: _build_site(group, bundle), sites.values()))


def _build_site(configurations: list[Configuration], bundle: Path) -> None:
    """One after the other, because they share a folder."""
    for each in configurations:
        if not _is_built(each):
            _copy_sources(each)
            install_packages(each.folder, each.site)
            _build(each)
        _copy_public(bundle, each)


def _is_built(configuration: Configuration) -> bool:
    stamp = configuration.built / "built-for"
    return stamp.exists() and stamp.read_text("utf-8") == _key(configuration)


def _key(configuration: Configuration) -> str:
    """A hash of what a build is made from. Static files are no part of it."""
    key = hashlib.sha256(repr(configuration).encode())
    for source in sorted(_sources(configuration)):
        key.update(source.as_posix().encode())
        key.update((SOURCES / source).read_bytes())
    return key.hexdigest()


def _sources(configuration: Configuration) -> list[Path]:
    files = (SOURCES / configuration.site).rglob("*")
    return [path.relative_to(SOURCES) for path in files if path.is_file()]


def _copy_sources(configuration: Configuration) -> None:
    folder = configuration.folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in {"node_modules", "public"} and not old.name.startswith(".built-"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(SOURCES / configuration.site, folder, dirs_exist_ok=True)
    if configuration.matcher:
        shutil.copy(folder / f"proxy.{configuration.matcher}.ts", folder / "proxy.ts")


def _build(configuration: Configuration) -> None:
    began = time.monotonic()
    if configuration.kind.build:
        done = subprocess.run(
            [*node_command(), *configuration.kind.build],
            cwd=configuration.folder,
            env=configuration.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{configuration} could not be built:\n{done.stdout}{done.stderr}")
    configuration.built.mkdir(exist_ok=True)
    (configuration.built / "built-for").write_text(_key(configuration), "utf-8")
    print(f"Built {configuration} in {time.monotonic() - began:.0f} s", flush=True)


def _copy_public(bundle: Path, configuration: Configuration) -> None:
    """Put the bundle and the pages' Python among the site's static files."""
    public = configuration.folder / configuration.kind.public
    copy = public / "py"
    stamps = [folder / BUNDLE_STAMP for folder in (bundle, copy)]
    if not stamps[1].exists() or len({stamp.read_bytes() for stamp in stamps}) > 1:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(bundle, copy)
    shutil.copytree(SOURCES / "pages", public / "pages", dirs_exist_ok=True)


class Site:
    """A site on a port of its own, which ends with the block that it is used in.

    Attributes:
        configuration: As given; it has been built.
        origin: As ``http://localhost:3000``.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.origin = ""
        self._log = configuration.folder / f".built-{configuration}.log"

    def __str__(self) -> str:
        return str(self.configuration)

    def url(self, path: str) -> str:
        """The address of one of its pages."""
        return self.origin + self.configuration.base_path + path

    def auth_url(self, route: str) -> str:
        """The address of one of its auth routes."""
        return f"{self.origin}{self.configuration.auth_path}/{route}"

    @property
    def log(self) -> str:
        """What it has written since it started."""
        return self._log.read_text("utf-8")

    def __enter__(self) -> Self:
        port = str(free_port())
        self.origin = f"http://localhost:{port}"
        environment = {
            "HOST": "127.0.0.1",
            "NEXTAUTH_URL": self.auth_url("").rstrip("/"),
            "ORIGIN": self.origin,
            "PORT": port,
        }
        with ExitStack() as opened:
            log = opened.enter_context(self._log.open("w", encoding="utf-8"))
            self._process = subprocess.Popen(
                [*node_command(), *self.configuration.kind.start],
                cwd=self.configuration.folder,
                env={**self.configuration.environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        last = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > last:
                self.__exit__()
                raise RuntimeError(f"{self} did not start:\n{self.log}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.auth_url("providers"), trust_env=False).is_success
        except httpx.TransportError:
            return False
