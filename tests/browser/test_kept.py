"""What a browser keeps of a bundle, and what comes over the line, is used only if it is the bundle's."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, Request, expect

from demo.serve import AuthServer
from nextauth_py.bundle import build_bundle

from .conftest import LAUNCH_OPTIONS
from .python_page import PythonPage, wait_until
from .test_bundle import serve
from .test_snapshot import FAST, IS_RESTORED, SAVING, SLOW, Loads

PAGE = Path(__file__).parent / "pages/python.html"
PARTS = ["snapshot.bin", "packages.bin", "pydantic_core.bin", "pyodide.bin"]

# Other text of the same length: what a page can see of the memory and the files, and the code's own data.
CHANGES = {
    "snapshot.bin": (b"unauthenticated", b"unauthenticatEd"),
    "packages.bin": (b"\nVersion: 2.", b"\nVersion: 9."),
    "pydantic_core.bin": (b"Input should be", b"Input shouLd be"),
    "pyodide.bin": (b"SystemError", b"SystemErroR"),
    "stdlib.bin": (b"UNCHECKED_HASH", b"UNCHECKED_HASh"),
}

LOOK = """
    import importlib.metadata, sys
    from nextauth_py import SessionProvider
    from nextauth_py.models import Session
    state = await SessionProvider().start().ready()
    session = Session.model_validate_json('{"expires": "2100-01-01T00:00:00Z"}')
    restored = "nextauth_py_reseed" in sys.modules
    [state.status, importlib.metadata.version("pydantic")[0], session.expires.year, restored]
"""
GOOD = ["unauthenticated", "2", 2100, True]

HELPERS = """
    const cache = await caches.open("nextauth_py");
    const find = async (name) => (await cache.keys()).find(({ url }) => new URL(url).pathname.endsWith(name));
    const hash = async (name) => {
        const response = (await find(name)) && await cache.match(await find(name));
        const digest = response && await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
        return digest && Array.from(new Uint8Array(digest)).join();
    };
"""
IS_KEPT = f"""async () => {{ {HELPERS} return (await cache.keys()).length === {len(PARTS)}; }}"""
HASH = f"async (name) => {{ {HELPERS} return await hash(name); }}"
CHANGE = f"""async ([name, before, after]) => {{ {HELPERS}
    const request = await find(name);
    const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
    const [from, to] = [before, after].map((text) => new TextEncoder().encode(text));
    let count = 0;
    for (let at = bytes.indexOf(from[0]); at >= 0; at = bytes.indexOf(from[0], at + 1)) {{
        if (!from.every((byte, index) => bytes[at + index] === byte)) continue;
        bytes.set(to, at);
        count += 1;
    }}
    await cache.put(request, new Response(bytes));
    return count;
}}"""


@pytest.fixture(autouse=True)
def _on_a_fast_line(context: BrowserContext) -> None:
    context.add_init_script(FAST)


@pytest.fixture
def url(auth_server: AuthServer) -> str:
    return f"{auth_server.url}/python.html"


@pytest.fixture
def visited(page: Page, url: str) -> PythonPage:
    """A page whose browser has kept all parts."""
    python = PythonPage(page).open(url)
    wait_until(page, IS_KEPT)
    return python


def expect_clean_and_warm(page: Page, url: str) -> None:
    """The next visit loads nothing again."""
    wait_until(page, IS_KEPT)
    loads = Loads(page)
    assert PythonPage(page).open(url).run(LOOK) == GOOD
    assert not any(map(loads.have, (".bin", ".wasm", ".whl")))


def change(page: Page, part: str) -> None:
    assert page.evaluate(CHANGE, [part, *(text.decode() for text in CHANGES[part])])


@pytest.mark.parametrize("workers", [True, False], ids=["in a worker", "in the page"])
@pytest.mark.parametrize("part", PARTS)
def test_changed_parts_in_the_browsers_storage_are_replaced_before_they_run(
    page: Page, visited: PythonPage, url: str, part: str, workers: bool
) -> None:
    right = page.evaluate(HASH, part)
    change(page, part)
    assert page.evaluate(HASH, part) != right
    if not workers:
        forbid_workers(page)
    loads = Loads(page)
    assert visited.open(url).run(LOOK) == GOOD
    assert loads.have(f"/{part}")
    assert not loads.have(".whl")
    # What the browser itself says of a worker that is forbidden cannot be helped.
    assert [text for text in loads.complaints if not text.startswith("Creating a worker")] == []
    wait_until(page, f"async () => await ({HASH})('{part}') === '{right}'")
    expect_clean_and_warm(page, url)


def forbid_workers(page: Page) -> None:
    headers = {"content-type": "text/html", "content-security-policy": "worker-src 'none'"}
    page.route("**/python.html", lambda route: route.fulfill(body=PAGE.read_text("utf-8"), headers=headers))


def test_all_of_them_changed_at_once_are_replaced(page: Page, visited: PythonPage, url: str) -> None:
    for part in PARTS:
        change(page, part)
    assert visited.open(url).run(LOOK) == GOOD
    expect_clean_and_warm(page, url)


KEPT_INSTEAD = {
    "nothing": "new Response()",
    "something short": "new Response('damaged')",
    "something long": "new Response(new Uint8Array(100_000_000))",
    "another site's": "await fetch(`//127.0.0.1:${location.port}/python.py`, { mode: 'no-cors' })",
    "a redirect": "Response.redirect('/python.html')",
    "no content": "new Response(null, { status: 204 })",
    "another type": "new Response('<script>', { headers: { 'content-type': 'text/html' } })",
    "a variant": "new Response('x', { headers: { vary: 'accept' } })",
}


@pytest.mark.parametrize("response", KEPT_INSTEAD.values(), ids=KEPT_INSTEAD)
def test_whatever_is_kept_instead_the_page_starts_well(
    page: Page, visited: PythonPage, url: str, response: str
) -> None:
    page.evaluate(f"""async () => {{ {HELPERS}
        for (const request of await cache.keys()) await cache.put(request, {response});
    }}""")
    loads = Loads(page)
    assert visited.open(url).run(LOOK) == GOOD
    assert loads.complaints == []
    expect_clean_and_warm(page, url)


def test_only_the_bytes_of_a_part_count(page: Page, visited: PythonPage, url: str) -> None:
    page.evaluate(f"""async () => {{ {HELPERS}
        const headers = {{ "content-type": "text/html", "content-length": "3", "content-encoding": "gzip" }};
        for (const request of await cache.keys()) {{
            const body = await (await cache.match(request)).arrayBuffer();
            await cache.put(request, new Response(body, {{ headers, status: 404 }}));
        }}
    }}""")
    expect_clean_and_warm(page, url)


def test_without_workers_the_page_starts_from_kept_parts(page: Page, visited: PythonPage, url: str) -> None:
    forbid_workers(page)
    expect_clean_and_warm(page, url)


def test_a_changed_library_of_a_bundle_without_a_snapshot_is_replaced(
    page: Page, auth_server: AuthServer, tmp_path: Path
) -> None:
    build_bundle(tmp_path, snapshot=False, report=lambda _: None)
    serve(page, f"{auth_server.url}/static/dist/", tmp_path)
    url = f"{auth_server.url}/python.html"
    python = PythonPage(page).open(url)
    wait_until(page, f"async () => Boolean(await ({HASH})('stdlib.bin'))")
    right = page.evaluate(HASH, "stdlib.bin")
    change(page, "stdlib.bin")
    loads = Loads(page)
    assert python.open(url).run(LOOK) == [*GOOD[:3], False]
    assert loads.have("/stdlib.bin")
    assert not loads.have(".whl")
    wait_until(page, f"async () => await ({HASH})('stdlib.bin') === '{right}'")


# Over the line


def changed_file(bundle: Path, part: str) -> bytes:
    (path,) = bundle.glob(f"pyodide/*/{part}")
    before = gzip.decompress(path.read_bytes())
    content = before.replace(*CHANGES[part])
    assert content != before
    return gzip.compress(content, 1)


@pytest.mark.parametrize("part", PARTS)
def test_a_changed_download_is_neither_run_nor_kept(page: Page, url: str, bundle: Path, part: str) -> None:
    body = changed_file(bundle, part)
    page.route(f"**/{part}", lambda route: route.fulfill(body=body))
    loads = Loads(page)
    python = PythonPage(page).open(url)
    assert python.run(LOOK) == [*GOOD[:3], False]
    assert loads.have(".whl")
    assert loads.complaints == []
    assert not page.evaluate(HASH, part)
    page.unroute(f"**/{part}")
    assert python.open(url).run(LOOK) == GOOD
    expect_clean_and_warm(page, url)


@pytest.mark.parametrize("part", PARTS)
def test_a_download_that_was_damaged_once_is_repeated(page: Page, url: str, bundle: Path, part: str) -> None:
    body = changed_file(bundle, part)
    page.route(f"**/{part}", lambda route: route.fulfill(body=body), times=1)
    loads = Loads(page)
    assert PythonPage(page).open(url).run(LOOK) == GOOD
    assert not loads.have(".whl")
    expect_clean_and_warm(page, url)


def test_a_changed_snapshot_for_the_next_visit_is_not_kept(page: Page, url: str, bundle: Path) -> None:
    page.add_init_script(SLOW)
    body = changed_file(bundle, "snapshot.bin")
    page.route("**/snapshot.bin", lambda route: route.fulfill(body=body))
    asked: list[str] = []

    def is_the_second(request: Request) -> bool:
        asked.extend([request.url] if request.url.endswith("/snapshot.bin") else [])
        return len(asked) == 2

    with page.expect_event("requestfinished", is_the_second):
        python = PythonPage(page).open(url)
    assert not page.evaluate(HASH, "snapshot.bin")
    assert python.open(url).run(LOOK) == [*GOOD[:3], False]


# Without TLS


@pytest.fixture
def insecure(playwright: Playwright, auth_server: AuthServer) -> Iterator[tuple[Page, str]]:
    """A page of a host that browsers do not take for this machine, and its origin."""
    arguments = [*LAUNCH_OPTIONS["args"], "--host-resolver-rules=MAP page.test 127.0.0.1"]
    browser = playwright.chromium.launch(**{**LAUNCH_OPTIONS, "args": arguments})
    context = browser.new_context()
    context.add_init_script(FAST)
    yield context.new_page(), f"http://page.test:{urlsplit(auth_server.url).port}"
    browser.close()


@pytest.mark.parametrize("markup", ["", '<iframe name="caches"></iframe><a id="requestIdleCallback"></a>'])
def test_without_tls_pages_start_from_the_snapshot_and_nothing_is_kept(
    insecure: tuple[Page, str], markup: str
) -> None:
    page, origin = insecure
    # Not by a route: of answers whose address is unknown, such pages may load nothing from this machine.
    insert = f"document.body.insertAdjacentHTML('afterbegin', `{markup}`)"
    page.add_init_script(f"document.addEventListener('readystatechange', () => {insert}, {{ once: true }})")
    loads = Loads(page)
    python = PythonPage(page).open(f"{origin}/python.html")
    assert page.evaluate("[isSecureContext, typeof crypto.subtle, window.CacheStorage === undefined]") == [
        *(False, "undefined", True)
    ]
    assert python.run(IS_RESTORED)
    assert not loads.have(".whl")


# Markup


def add_markup(page: Page, markup: str) -> None:
    """Put it where a site shows what its users have written."""
    html = PAGE.read_text("utf-8").replace("<div id", f"{markup}<div id")
    page.route("**/python.html", lambda route: route.fulfill(body=html, content_type="text/html"))


@pytest.mark.parametrize("tag", ["img", "form", "iframe", "embed", "object"])
def test_elements_named_like_properties_of_the_document_change_nothing(
    page: Page, url: str, tag: str
) -> None:
    names = ("baseURI", "caches", "crypto", "performance", "navigator", "requestIdleCallback", "Worker")
    add_markup(page, "".join(f'<{tag} id="{name}" name="{name}"></{tag}>' for name in names))
    loads = Loads(page)
    assert PythonPage(page).open(url).run(LOOK) == GOOD
    assert not loads.have(".whl")
    assert not loads.have("/pyscript.json")


@pytest.mark.parametrize("base", ["//elsewhere.test/", "https://elsewhere.test/a/b", "http://elsewhere.test"])
def test_a_base_of_another_origin_leads_python_nowhere(page: Page, url: str, base: str) -> None:
    add_markup(page, f'<base href="{base}">')
    asked: list[str] = []
    page.on("request", lambda request: asked.append(str(urlsplit(request.url).hostname)))
    assert PythonPage(page).open(url).run(LOOK) == GOOD
    assert "elsewhere.test" not in asked


def test_a_base_of_the_pages_own_origin_counts(page: Page, auth_server: AuthServer) -> None:
    html = """<!doctype html><base href="/static/">
    <script type="module" src="dist/pyscript/core.js"></script><p id="target"></p>
    <script type="py" config="dist/pyscript.json">
    from pyscript import document
    document.getElementById("target").textContent = "it runs"
    </script>"""
    page.route("**/based", lambda route: route.fulfill(body=html, content_type="text/html"))
    loads = Loads(page)
    page.goto(f"{auth_server.url}/based")
    expect(page.locator("#target")).to_have_text("it runs")
    assert not loads.have("/pyscript.json")


def test_changed_parts_are_replaced_even_if_the_browser_saves_data(
    page: Page, visited: PythonPage, url: str
) -> None:
    page.add_init_script(SLOW)
    page.add_init_script(SAVING)
    change(page, "snapshot.bin")
    assert visited.open(url).run(LOOK) == GOOD
