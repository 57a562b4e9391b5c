"""What showing a session in a thousand places costs: ours beside React with next-auth's JavaScript clients.

Real servers, one page at a time, nothing is intercepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.serve import AuthServer

from .report import Table

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

ROWS = 1_000
ROUNDS = 15
MOUNTS = 100

PAGES = {
    "nextauth_py, a component with a list": "bench/updates.html?way=component&rows=",
    "nextauth_py, a binding for each row": "bench/updates.html?way=bind&rows=",
    "React, next-auth v4": "peer-v4.html?rows=",
    "React, next-auth v5": "peer-v5.html?rows=",
}

CLIENT = """
    () => {
      window.client ??= {
        signIn: () => peer.signIn("credentials", { username: "alice", password: "wonder", redirect: false }),
        update: (name) => peer.update({ name }),
        mount: () => peer.mount(),
        unmount: () => peer.unmount(),
      };
    }
"""

# Milliseconds from the answer to the POST until every row shows the new name.
UPDATE = """
    async (name) => {
      const list = document.querySelector("#rows");
      const isThere = () => list.lastElementChild.textContent.endsWith(`: ${name}`);
      const shown = new Promise((resolve) => {
        const note = () => isThere() && resolve(performance.now());
        new MutationObserver(note).observe(list, { childList: true, characterData: true, subtree: true });
      });
      performance.clearResourceTimings();
      await client.update(name);
      const at = await shown;
      const posts = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/session"));
      return at - posts[0].responseEnd;
    }
"""

MOUNT = "() => { const start = performance.now(); client.mount(); return performance.now() - start; }"
UNMOUNT = "() => { client.unmount(); }"


def measure(browser: Browser, mounts: dict[str, Path]) -> list[Table]:
    """Draw, change, and look for what stays behind."""
    rows = {}
    for client, page in PAGES.items():
        generation = "v5" if client.endswith("v5") else "v4"
        with AuthServer(mounts, generation=generation) as server:
            rows[client] = _measure(browser, f"{server.url}/{page}{ROWS}")
    return [Table(f"{ROWS} rows", rows)]


def _measure(browser: Browser, url: str) -> dict[str, list[float | None]]:
    page = browser.new_context().new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_function("() => window.client ?? window.peer")
    page.evaluate(CLIENT)
    page.evaluate("() => client.signIn().then(() => null)")
    page.wait_for_function("() => document.getElementById('shown').textContent.startsWith('Alice')")
    drawn = [_drawn(page) for _ in range(ROUNDS)]
    page.evaluate(MOUNT)
    changed = [page.evaluate(UPDATE, f"Alice {number}") for number in range(ROUNDS)]
    page.evaluate(UNMOUNT)
    before = _heap(page)
    for _ in range(MOUNTS):
        page.evaluate(MOUNT)
        page.evaluate(UNMOUNT)
    after = _heap(page)
    page.context.close()
    return {
        "first drawn, ms": drawn,
        "a change in all, ms": changed,
        f"heap after {MOUNTS} mounts, MB": [(after - before) / 1e6],
    }


def _drawn(page: Page) -> float:
    elapsed: float = page.evaluate(MOUNT)
    page.evaluate(UNMOUNT)
    return elapsed


def _heap(page: Page) -> float:
    """Bytes of JavaScript in use, after collecting garbage. Python's own memory is one fixed block of it."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    found: Any = session.send("Runtime.getHeapUsage")
    return float(found["usedSize"])
