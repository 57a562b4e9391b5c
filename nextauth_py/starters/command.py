"""``nextauth-py new``: the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .site import KINDS, SiteError, write_site

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``new`` to the commands of `nextauth-py`."""
    new = commands.add_parser(
        "new",
        help="write a small site that works: an auth server, pages in Python, tests",
        description="Writes a small site to start from: an auth server with two users to try, pages in "
        "Python (a sign-in form, one for members, one for admins), and tests.",
    )
    new.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder, named as the site")
    new.add_argument("--with", dest="kind", required=True, choices=KINDS, help="what serves the site")
    new.add_argument(
        "--base-path",
        default="",
        metavar="PATH",
        help="the site's path on its server, as /shop; by default it has none",
    )
    new.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the site, say how to go on, and return an exit code."""
    try:
        write_site(options.folder, options.kind, base_path=options.base_path)
    except (SiteError, OSError) as error:
        print(f"nextauth-py: {error}", file=sys.stderr)
        return 1
    print(f"{options.folder} is there. Go on with:\n")
    install = f'cd "{options.folder}" && pip install -r requirements.txt && npm ci'
    for command in (install, "npm run bundle", "npm run dev"):
        print(f"  {command}")
    print("\nREADME.md there says how to test it, and where to go on.")
    return 0
