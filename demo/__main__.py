"""``python3 -m demo``: builds the runtime, starts the server and says where to look."""

from __future__ import annotations

import argparse
import contextlib
import sys
import webbrowser

from .bootstrap import ROOT, enter

DEFAULT_PORT = 3000


def main() -> None:
    """Run the demo until Ctrl-C."""
    options = _parser().parse_args()
    enter("demo")
    # Only now is everything installed.
    from nextauth_py.bundle import BundleError, build_bundle  # noqa: PLC0415

    from .serve import AuthServer, fetch_wheels, install_server  # noqa: PLC0415

    try:
        build_bundle(ROOT / "static/dist")
        install_server()
        wheels = fetch_wheels()
    except BundleError as error:
        sys.exit(str(error))
    from .frameworks import PythonServer, free_port  # noqa: PLC0415

    generation = "v5" if options.v5 else "v4"
    port = free_port()
    pages = "/pages" if options.server else "/"
    demo = AuthServer(
        {"/static": ROOT / "static", "/wheels": wheels, pages: ROOT / "demo/pages"},
        port=options.port,
        generation=generation,
        services=True,
        passkeys=True,
        exercises=True,
        behind=f"http://127.0.0.1:{port}" if options.server else None,
    )
    with contextlib.ExitStack() as running, contextlib.suppress(KeyboardInterrupt):
        server = running.enter_context(demo)
        if options.server:
            running.enter_context(PythonServer(options.server, port=port, auth_url=server.url))
        _greet(server.url, options.port)
        if options.open:
            webbrowser.open(server.url)
        server.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m demo", description="A page in Python that signs in.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"the port (default: {DEFAULT_PORT})")
    parser.add_argument("--v5", action="store_true", help="run Auth.js v5 instead of NextAuth v4")
    parser.add_argument(
        "--server",
        choices=["django", "fastapi", "flask", "starlette"],
        help="a site in this framework behind it, which puts the session into its page",
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")
    return parser


def _greet(url: str, wanted: int) -> None:
    if not url.endswith(f":{wanted}"):
        print(f"Port {wanted} is taken.")
    print(f"\nThe demo is at {url}\nSign in as alice (wonder) or bob (builder). Ctrl-C ends it.", flush=True)


if __name__ == "__main__":
    main()
