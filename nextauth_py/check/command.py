"""The subcommand ``nextauth-py check``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .findings import Finding

TIMEOUT = 10.0  # seconds

FAILED, UNREACHABLE, INTERRUPTED = 1, 2, 130


# What is asked without TLS, if the address does not say.
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:|/|$)")


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], installed: Callable[[], str]
) -> None:
    """Add the subcommand.

    Args:
        commands: Those of `nextauth-py`.
        installed: Returns the file name of the wheel that the installed package puts into bundles.
    """
    parser = commands.add_parser(
        "check",
        help="ask a running site what its pages would trip over",
        description="Asks a site as a browser does, without signing in, and says what is wrong and what to "
        "write: the auth routes, their cookies, the bundle's files, the page and its policy. Exit code 1 if "
        "there are errors, 2 if the site does not answer.",
    )
    parser.add_argument("url", type=_site, metavar="URL", help="a page of the site, or its root")
    parser.add_argument(
        "--base-path",
        type=_base_path,
        metavar="PATH",
        help="where the auth routes are (default: tries what the page names, /api/auth and /auth, also below "
        "the page's folders)",
    )
    parser.add_argument(
        "--bundle",
        metavar="PATH-or-URL",
        help="where the bundle is served (default: what the page names)",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"how long to wait for each answer (default: {TIMEOUT:g})",
    )
    parser.set_defaults(run=lambda options: run(options, installed()))


def run(options: argparse.Namespace, installed: str) -> int:
    """Check a site and print the findings; returns the exit code."""
    # Here, because the other commands need no HTTP client.
    from .fetching import Fetcher  # noqa: PLC0415
    from .site import Settings, UnreachableError, check_site  # noqa: PLC0415

    settings = Settings(options.base_path or "", options.bundle or "", installed=installed)
    try:
        with Fetcher(options.timeout) as fetcher:
            findings = check_site(options.url, settings, fetcher)
    except UnreachableError as problem:
        print(f"nextauth-py: {problem}", file=sys.stderr)
        return UNREACHABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    print(_as_json(findings) if options.json else _as_lines(findings))
    return FAILED if any(finding.level == "error" for finding in findings) else 0


def _as_json(findings: Sequence[Finding]) -> str:
    return json.dumps([finding.to_json() for finding in findings], indent=2)


def _as_lines(findings: Sequence[Finding]) -> str:
    return "\n".join(map(str, findings))


def _site(text: str) -> str:
    scheme = "http" if _LOCAL.match(text) else "https"
    url = text if "://" in text else f"{scheme}://{text}"
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable or any(each.isspace() for each in url):
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL; write it like https://shop.example/account")
    if parts.username is not None:
        raise argparse.ArgumentTypeError("a URL with a user name or password in it is not asked")
    return url.partition("#")[0]


def _base_path(text: str) -> str:
    if not text.startswith("/") or text.startswith("//") or any(each in text for each in "?#\\ "):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path; write it like /api/auth")
    return text


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value
