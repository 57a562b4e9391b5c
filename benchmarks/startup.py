"""How long a page takes to show who is signed in, beside a PyScript page that only sets its title.

    python3 -m benchmarks.startup

Warm cache, real server, the two pages in turn. Nothing is intercepted.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from demo.bootstrap import ROOT, enter

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ROUNDS = 5

# Each page, and what is true once it has done its work.
PAGES = {
    "title.html": "document.title === 'Python'",
    "name.html": "document.getElementById('name')?.textContent.trim() === 'Alice Liddell'",
}

# Checked at every frame, from the first one on: the page's own clock, not the test's.
WATCH = """() => {
    const look = () => (CONDITION) ? window.done = performance.now() : requestAnimationFrame(look);
    requestAnimationFrame(look);
}"""


def main() -> None:
    """Measure and print a table."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - installed by `enter`

    from demo.serve import AuthServer, install_server  # noqa: PLC0415
    from nextauth_py.bundle import build_bundle  # noqa: PLC0415
    from tests.browser.browsers import launch_options  # noqa: PLC0415

    build_bundle(ROOT / "static/dist")
    install_server()
    options = launch_options()
    mounts = {"/static": ROOT / "static", "/": Path(__file__).parent / "pages"}
    with (
        AuthServer(mounts) as server,
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as profile,
    ):
        context = playwright.chromium.launch_persistent_context(profile, **options)
        _sign_in(context, server.url)
        times: dict[str, list[float]] = {page: [] for page in PAGES}
        for round_number in range(ROUNDS + 1):
            for page, condition in PAGES.items():
                elapsed = _load(context, f"{server.url}/{page}", condition)
                if round_number:  # the first one fills the cache
                    times[page].append(elapsed)
        context.close()
    _print(times)


def _sign_in(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/api/auth/signin?callbackUrl=/title.html")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.get_by_role("button").click()
    page.wait_for_url("**/title.html")
    page.close()


def _load(context: BrowserContext, url: str, condition: str) -> float:
    """Milliseconds from the start of the navigation until the condition holds."""
    page = context.new_page()
    page.add_init_script(f"({WATCH.replace('CONDITION', condition)})()")
    page.goto(url)
    page.wait_for_function("() => window.done")
    elapsed: float = page.evaluate("window.done")
    page.close()
    return elapsed


def _print(times: dict[str, list[float]]) -> None:
    peer = statistics.median(times["title.html"])
    print("| page | median | from | to | ratio |\n|---|---:|---:|---:|---:|")
    for page, measured in times.items():
        median = statistics.median(measured)
        row = f"{median:.0f} ms | {min(measured):.0f} | {max(measured):.0f} | {median / peer:.2f}"
        print(f"| {page} | {row} |")


if __name__ == "__main__":
    enter("benchmarks.startup")
    main()
