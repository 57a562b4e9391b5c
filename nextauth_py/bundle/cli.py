"""The command `nextauth-py`."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ..check.command import add_command as add_check
from ..starters.command import add_command as add_new
from .build.assemble import build_bundle
from .build.errors import BundleError
from .build.minify import stripped
from .build.wheel import own_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLOSED_PIPE = 141  # as shells report a program that SIGPIPE has ended


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    options = _parser().parse_args(argv)
    try:
        exit_code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes at its end once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    return exit_code


def _bundle(options: argparse.Namespace) -> int:
    try:
        report = functools.partial(print, flush=True)
        build_bundle(options.out, snapshot=options.snapshot, cdn=options.cdn, report=report)
    except BrokenPipeError:
        raise
    except (BundleError, OSError) as error:
        print(f"nextauth-py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nextauth-py: interrupted; run the command again to finish the bundle", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nextauth-py", description="The NextAuth.js session client for Python in the browser."
    )
    parser.add_argument("--version", action="version", version=f"nextauth-py {version('nextauth-py')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    bundle = commands.add_parser(
        "bundle",
        help="build the self-hosted runtime for PyScript pages",
        description="Builds a folder with PyScript, Pyodide, pydantic and nextauth_py, whose pages load "
        "nothing from elsewhere. Serve it under any path. Run again, it updates what has changed.",
    )
    bundle.add_argument("out", type=Path, metavar="OUT", help="a new or empty folder, or an earlier bundle")
    form = bundle.add_mutually_exclusive_group()
    form.add_argument(
        "--cdn",
        action="store_true",
        help="for pages that load PyScript from its CDN: only pyscript.json, this package and lit-html",
    )
    form.add_argument(
        "--no-snapshot",
        dest="snapshot",
        action="store_false",
        help="without the snapshot of Python's memory, which a page downloads once to start faster",
    )
    bundle.set_defaults(run=_bundle)
    add_check(commands, lambda: own_wheel(shorten=stripped).file_name)
    add_new(commands)
    return parser
