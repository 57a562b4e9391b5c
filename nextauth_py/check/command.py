"""``nextauth-py check``: the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from .findings import Finding


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], installed: Callable[[], str]
) -> None:
    """Add ``check`` to the commands of `nextauth-py`.

    Args:
        commands: Of the command line.
        installed: Returns the file name of the wheel that the installed package puts into bundles.
    """
    check = commands.add_parser(
        "check",
        help="ask a running site what would keep its pages from working",
        description="Asks a running site as a browser would, and says what is wrong and what to write: auth "
        "routes, cookies, the bundle's files, caching, compression, content security policy. Exits with 1 if "
        "there is an error, with 2 if the site does not answer. It only reads, and signs nobody in.",
    )
    check.add_argument("url", metavar="URL", help="a page with Python, as https://your.site/account")
    check.add_argument("--base-path", metavar="PATH", help="where the auth routes are; by default it looks")
    check.add_argument("--bundle", metavar="PATH", help="where the bundle is; by default the page says so")
    check.add_argument("--json", action="store_true", help="print an array of findings")
    check.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="for each answer; 10 by default"
    )
    check.set_defaults(run=lambda options: run(options, installed()))


def run(options: argparse.Namespace, installed: str) -> int:
    """Check the site, print what was found, and return an exit code."""
    import httpx  # noqa: PLC0415 - the other commands do without

    from .fetch import Fetcher, UnreachableError  # noqa: PLC0415
    from .site import check_site, is_address  # noqa: PLC0415

    if not is_address(options.url):
        print(f"nextauth-py: {options.url!r} is no address like https://your.site/account", file=sys.stderr)
        return 2
    headers = {"accept": "*/*", "user-agent": "Mozilla/5.0 nextauth-py-check"}
    try:
        with httpx.Client(timeout=options.timeout, headers=headers) as client:
            site = check_site(
                Fetcher(client),
                options.url,
                base_path=options.base_path,
                bundle=options.bundle,
                installed=installed,
            )
            findings = []
            for finding in site:
                findings.append(finding)
                if not options.json:
                    print(finding, flush=True)
    except UnreachableError as error:
        print(f"nextauth-py: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return int(_has_errors(findings))


def _has_errors(findings: list[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)
