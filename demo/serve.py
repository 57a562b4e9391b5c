"""Starts the real NextAuth server as a process of its own, for the demo and for the tests."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from nextauth_py.bundle import BundleError
from nextauth_py.bundle.build.node import node_command, node_environment, npm_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


SERVER = Path(__file__).parent / "server"
SCRIPT = SERVER / "main.mjs"
PINS = Path(__file__).parent / "requirements.txt"
WHEELS = Path(__file__).parent / "wheels"

LOG_LINES = 1000  # of a long-running demo, the last ones
PATIENCE = 30  # seconds to stop in


class AuthServer:
    """A NextAuth server on a port of its own, which ends with the block that it is used in.

    Args:
        mounts: Folders of static files, by URL path.
        port: The port; 0 for any. If it is taken, the next free one.
        base_path: Where the auth routes are.
        max_age: Seconds that a session lasts.
        generation: ``"v4"`` for NextAuth, ``"v5"`` for Auth.js.
        strategy: ``"jwt"`` or ``"database"``: where sessions are kept.
        services: Whether to offer sign-in by e-mail and at an identity provider, and to start both.
        passkeys: Whether v5 offers sign-in by passkey.
        exercises: Whether visitors may have the server fail, and read the mail that it has sent.
        allow_origins: Whether pages of other origins may ask, with cookies.
        compresses: Whether it compresses what it answers with.
        behind: The URL of a server that answers whatever is asked for besides.
        sign_in_page: The path of the site's own sign-in page, instead of NextAuth's.
        public_url: What it takes for its own origin, as behind a proxy; by default what it is.
        script: Which server: a Node script that takes options as `demo/server/main.mjs` does.

    Attributes:
        generation: As given.
        url: Its origin, as ``http://localhost:3000``.
        log: The last lines that it has written.
    """

    def __init__(
        self,
        mounts: Mapping[str, Path],
        *,
        port: int = 0,
        base_path: str = "/api/auth",
        max_age: int | None = None,
        generation: str = "v4",
        strategy: str = "jwt",
        services: bool = False,
        passkeys: bool = False,
        exercises: bool = False,
        allow_origins: bool = False,
        compresses: bool = False,
        behind: str | None = None,
        sign_in_page: str | None = None,
        public_url: str | None = None,
        script: Path = SCRIPT,
    ) -> None:
        self.url = ""
        self.base_path = base_path
        self.generation = generation
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._script = script
        self._options: dict[str, Any] = {
            "port": port,
            "basePath": base_path,
            "generation": generation,
            "strategy": strategy,
            "services": services,
            "passkeys": passkeys,
            "exercises": exercises,
            "allowOrigins": allow_origins,
            "compresses": compresses,
            "behind": behind,
            "publicUrl": public_url,
            "pages": {"signIn": sign_in_page} if sign_in_page else {},
            "mounts": {path: str(folder) for path, folder in mounts.items()},
        }
        if max_age is not None:
            self._options["maxAge"] = max_age

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It ended instead; the text has its log.
        """
        self._process = subprocess.Popen(
            [*node_command(), str(self._script), json.dumps(self._options)],
            env=node_environment(),
            stdin=subprocess.PIPE,  # the server ends when this closes, however we end
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True)
        self._reader.start()
        first_line = cast("IO[str]", self._process.stdout).readline()
        if not first_line:
            self.stop()
            raise RuntimeError("the auth server did not start:\n" + "\n".join(self.log))
        self.url = json.loads(first_line)["url"]

    def stop(self) -> None:
        """End it."""
        cast("IO[str]", self._process.stdin).close()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        cast("IO[str]", self._process.stdout).close()
        cast("IO[str]", self._process.stderr).close()

    def wait(self) -> None:
        """Wait until it ends by itself."""
        self._process.wait()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.log.append(line.rstrip())


def install_server(report: Callable[[str], None] = print) -> None:
    """Install the server's npm packages, unless they are there.

    Raises:
        BundleError: npm is missing, or failed.
    """
    install_packages(SERVER, "NextAuth", report)


def install_packages(folder: Path, what: str, report: Callable[[str], None] = print) -> bool:
    """Install the npm packages of a folder's lock file.

    Returns:
        Whether there was anything to do.

    Raises:
        BundleError: npm is missing, or failed.
    """
    stamp = folder / "node_modules" / ".installed-for"
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == lock:
        return False
    report(f"Installing {what} (npm)…")
    command = [*npm_command(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        command, cwd=folder, env=node_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BundleError(f"npm could not install {what}. Is the network up?\n{done.stderr[-2000:]}")
    stamp.write_text(lock, "utf-8")
    return True


def fetch_wheels(
    folder: Path = WHEELS, pins: Sequence[Path] = (PINS,), report: Callable[[str], None] = print
) -> Path:
    """Download the wheels that pages load besides the bundle, unless they are there.

    Args:
        folder: Where to put them.
        pins: Requirements files with hashes.
        report: Called with a line of text if there is something to do.

    Returns:
        The folder.

    Raises:
        BundleError: pip failed.
    """
    stamp = folder / ".fetched-for"
    wanted = "".join(each.read_text("utf-8") for each in pins)
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return folder
    report("Downloading the wheels of the pages (pip)…")
    flags = ["--no-deps", "--require-hashes", "--disable-pip-version-check", "--only-binary=:all:", "-q"]
    files = [flag for each in pins for flag in ("-r", str(each))]
    command = [sys.executable, "-m", "pip", "download", *flags, *files, "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundleError(f"pip could not download them. Is the network up?\n{done.stderr[-2000:]}")
    stamp.write_text(wanted, "utf-8")
    return folder
