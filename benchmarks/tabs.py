"""What many tabs cost, and how soon the last of them knows: ours beside next-auth's JavaScript clients.

Real servers, each client with its own generation's, ours with v4's. Real tabs, nothing is intercepted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as PlaywrightTimeout

from demo.bootstrap import ROOT
from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .report import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SIZES = [1, 2, 5, 10]
INTERVAL = 2.0  # seconds
INTERVALS = 5
LATENCIES = [0, 100]  # milliseconds that the server takes
ROUNDS = 5
PATIENCE = 15_000  # milliseconds; what has not come by then never does

PAGES = {"nextauth_py": "tabs.html", "next-auth v4": "peer-v4.html", "next-auth v5": "peer-v5.html"}

# When each text was first shown, on the clock that all pages share.
WATCH = """
    window.shownAt = {};
    const note = () => shownAt[document.getElementById("shown")?.textContent.trim()] ??=
      performance.timeOrigin + performance.now();
    new MutationObserver(note).observe(document, { childList: true, characterData: true, subtree: true });
"""

CLIENT = """
    window.client ??= {
      signIn: () => peer.signIn("credentials", { username: "alice", password: "wonder", redirect: false }),
      signOut: () => peer.signOut({ redirect: false }),
      update: (name) => peer.update({ name }),
    };
"""

POST_ANSWERED = """
    performance.timeOrigin + performance.getEntriesByType("resource")
      .filter(({ name }) => name.includes("/signout")).at(-1).responseEnd
"""


def measure(browser: Browser, mounts: dict[str, Path]) -> list[Table]:
    """Count requests, and time sign-outs and updates."""
    script = ROOT / "tests/servers/server.mjs"
    costs: dict[str, dict[str, list[float | None]]] = {}
    speeds: dict[str, dict[str, list[float | None]]] = {}
    for client, page in PAGES.items():
        generation = "v5" if client.endswith("v5") else "v4"
        with AuthServer(mounts, generation=generation, script=script) as server:
            url = f"{server.url}/{'bench/' if client == 'nextauth_py' else ''}{page}"
            control = ServerControl(server.url)
            costs[client] = {
                f"{size} {'tab' if size == 1 else 'tabs'}": [_requests(browser, url, control, size)]
                for size in SIZES
            }
            speeds[client] = _speeds(browser, url, control)
    return [
        Table(f"GETs per interval of {INTERVAL:g} s", costs),
        Table(f"ms until the last of {SIZES[-1]} tabs, or the next one, knows", speeds),
    ]


def _open(browser: Browser, url: str, number: int, interval: float) -> list[Page]:
    """So many signed-in tabs, in a browser profile of their own."""
    context = browser.new_context()
    context.set_default_timeout(120_000)
    context.add_init_script(WATCH)
    pages = []
    for _ in range(number):
        page = context.new_page()
        page.goto(f"{url}?interval={interval}")
        page.wait_for_function("() => window.client ?? window.peer")
        page.evaluate(f"() => {{ {CLIENT} }}")
        pages.append(page)
    _sign_in(pages)
    return pages


def _sign_in(pages: list[Page]) -> None:
    pages[0].evaluate("() => client.signIn().then(() => null)")
    for page in pages:  # next-auth's own clients tell nobody of a sign-in
        if "peer" in page.url and page is not pages[0]:
            page.reload()
            page.wait_for_function("() => window.peer")
            page.evaluate(f"() => {{ {CLIENT} }}")
    _wait(pages, "Alice Liddell")


def _wait(pages: list[Page], text: str, timeout: float | None = None) -> None:
    condition = "text => document.getElementById('shown').textContent.trim() === text"
    for page in pages:
        page.wait_for_function(condition, arg=text, timeout=timeout)


def _requests(browser: Browser, url: str, control: ServerControl, size: int) -> float:
    pages = _open(browser, url, size, INTERVAL)
    pages[0].wait_for_timeout(INTERVAL * 2_000)  # for everything that the start has set off
    before = _gets(control)
    pages[0].wait_for_timeout(INTERVAL * INTERVALS * 1_000)
    count = _gets(control) - before
    pages[0].context.close()
    return count / INTERVALS


def _gets(control: ServerControl) -> int:
    return sum(request.startswith("GET /api/auth/session") for request in control.requests())


def _speeds(browser: Browser, url: str, control: ServerControl) -> dict[str, list[float | None]]:
    pages = _open(browser, url, SIZES[-1], 0)
    found = {}
    for latency in LATENCIES:
        control.set_latency(latency)
        found[f"a sign-out, the server takes {latency} ms"] = _repeat(lambda: _sign_out(pages))
    control.set_latency(0)
    names = iter(range(1000))
    found["an update"] = _repeat(lambda: _update(pages, f"Alice {next(names)}"))
    pages[0].context.close()
    return found


def _sign_out(pages: list[Page]) -> float | None:
    """Milliseconds from the answer to the sign-out until the last tab shows it; None if one never does."""
    for page in pages:
        page.evaluate("() => { window.shownAt = {} }")
    pages[0].evaluate("() => client.signOut().then(() => null)")
    elapsed: float | None = None
    with suppress(PlaywrightTimeout):  # next-auth's clients lose messages that two tabs write at once
        _wait(pages, "unauthenticated", PATIENCE)
        last = max(page.evaluate("shownAt.unauthenticated") for page in pages[1:])
        elapsed = last - pages[0].evaluate(POST_ANSWERED)
    pages[0].wait_for_timeout(1_500)
    _sign_in(pages)
    return elapsed


def _update(pages: list[Page], name: str) -> float | None:
    """Milliseconds from the tab that made the update showing it until the next one does."""
    pages[0].wait_for_timeout(1_100)  # v4 tells others of nothing twice in a second
    pages[0].evaluate("name => client.update(name).then(() => null)", name)
    _wait(pages, name)
    first, second = (page.evaluate("name => shownAt[name]", name) for page in pages[:2])
    elapsed: float = second - first
    return elapsed


def _repeat(measure: Callable[[], float | None]) -> list[float | None]:
    return [measure() for _ in range(ROUNDS)]
