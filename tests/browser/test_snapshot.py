"""Pages that start from a snapshot of Python's memory, and what they do when something is in the way."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Route

from demo.serve import AuthServer

from .conftest import FIREFOX_OPTIONS, prepare, shared_page
from .python_page import PythonPage, wait_until

Obstacle = Callable[[Page, Path], None]

IS_RESTORED = "import sys; 'nextauth_py_reseed' in sys.modules"

KEPT = "async () => (await (await caches.open('nextauth_py')).keys()).map(({ url }) => new URL(url).pathname)"

MEMORY_IS_KEPT = f"async () => (await ({KEPT})()).some((path) => path.endsWith('/snapshot.bin'))"


class Loads:
    """The files that a page has asked for.

    Attributes:
        complaints: What it has written to the console as a warning or an error.
    """

    def __init__(self, page: Page) -> None:
        self._paths: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self._paths.append(urlsplit(request.url).path))
        page.on("console", self._note)

    def have(self, end: str) -> bool:
        return any(path.endswith(end) for path in self._paths)

    def _note(self, message: ConsoleMessage) -> None:
        # What the browser itself says of a file that is missing cannot be helped.
        if message.type in {"warning", "error"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


# As pages see lines: by the time that their own files took.
def line(milliseconds: int) -> str:
    sizes = "transferSize: 136_000, encodedBodySize: 136_000"
    return (
        f"performance.getEntriesByType = () => [{{ {sizes}, responseStart: 0, responseEnd: {milliseconds} }}]"
    )


SLOW, FAST = line(500), line(1)


@pytest.fixture(autouse=True)
def _on_a_fast_line(context: BrowserContext) -> None:
    context.add_init_script(FAST)


@pytest.fixture
def loads(page: Page) -> Loads:
    return Loads(page)


@pytest.fixture(scope="module")
def python(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    with shared_page(browser, f"{auth_server.url}/python.html", script=FAST) as python:
        yield python


def test_a_page_starts_from_a_snapshot_and_unpacks_no_wheel(
    page: Page, auth_server: AuthServer, loads: Loads
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    assert loads.have("/snapshot.bin")
    assert not loads.have(".whl")
    assert python.run("import nextauth_py, pydantic; pydantic.VERSION").startswith("2.")
    assert loads.complaints == []


def test_a_first_visit_downloads_less_than_19_megabytes(page: Page, auth_server: AuthServer) -> None:
    PythonPage(page).open(f"{auth_server.url}/python.html")
    size = page.evaluate(
        "performance.getEntries().reduce((sum, file) => sum + (file.encodedBodySize ?? 0), 0)"
    )
    assert 12e6 < size < 19e6  # though nothing is compressed by this server


def test_without_the_snapshot_all_big_files_are_smaller_than_ten_megabytes(bundle: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in bundle.glob("pyodide/*/*.bin")}
    assert sizes.pop("snapshot.bin") < 7e6
    assert len(sizes) == 3
    (library,) = bundle.glob("pyodide/*/python_stdlib.zip")
    assert sum(sizes.values()) + library.stat().st_size < 9.7e6


# In the way


def is_missing(name: str) -> Obstacle:
    return answered(name, 404)


def is_another(name: str) -> Obstacle:
    return answered(name, 200)


def answered(name: str, status: int) -> Obstacle:
    def obstacle(page: Page, _: Path) -> None:
        page.route(f"**/{name}", lambda route: route.fulfill(status=status, body="something else"))

    return obstacle


def is_cut_off(page: Page, bundle: Path) -> None:
    (path,) = bundle.glob("pyodide/*/snapshot.bin")
    half = path.read_bytes()[: path.stat().st_size // 2]
    page.route("**/snapshot.bin", lambda route: route.fulfill(body=half))


def is_another_module(page: Page, _: Path) -> None:
    """It compiles, but does not fit."""
    imports_nothing_there_is = b"\0asm\1\0\0\0\1\4\1\x60\0\0\2\7\1\1a\1b\0\0"
    content = gzip.compress(imports_nothing_there_is)
    page.route("**/pyodide.bin", lambda route: route.fulfill(body=content))


def is_of_another_build(page: Page, _: Path) -> None:
    change_facts(page, lambda snapshot: snapshot.update(head=with_another_build(snapshot["head"])))


def has_another_table(page: Page, _: Path) -> None:
    change_facts(page, lambda snapshot: snapshot.update(table=snapshot["table"] + 1))


def cannot_inflate(page: Page, _: Path) -> None:
    page.add_init_script("delete window.DecompressionStream")


def change_facts(page: Page, change: Callable[[dict[str, Any]], None]) -> None:
    def answer(route: Route) -> None:
        response = route.fetch()
        before, facts, after = re.split(r"(?<=const bundle = )(.*?)(?=; //)", response.text(), maxsplit=1)
        bundle = json.loads(facts)
        change(bundle["snapshot"])
        route.fulfill(response=response, body=f"{before}{json.dumps(bundle)}{after}")

    page.route("**/interpreter.mjs", answer)


def with_another_build(head: str) -> str:
    content = bytearray(base64.b64decode(head))
    content[16] ^= 1  # after four words, the build's hash begins
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param(is_missing("snapshot.bin"), id="there is none"),
        pytest.param(is_another("snapshot.bin"), id="it is something else"),
        pytest.param(is_cut_off, id="it is cut off"),
        pytest.param(is_of_another_build, id="it is of another build"),
        pytest.param(has_another_table, id="the browser brings other functions"),
        pytest.param(is_missing("pydantic_core.bin"), id="the library is missing"),
        pytest.param(is_another("packages.bin"), id="the packages are something else"),
        pytest.param(is_missing("pyodide.bin"), id="Pyodide's code is missing"),
        pytest.param(is_another("pyodide.bin"), id="Pyodide's code is something else"),
        pytest.param(is_another_module, id="Pyodide's code is of another build"),
        pytest.param(cannot_inflate, id="the browser cannot inflate"),
    ],
)
def test_whatever_is_in_the_way_python_boots_without_a_word(
    page: Page, auth_server: AuthServer, bundle: Path, loads: Loads, obstacle: Obstacle
) -> None:
    obstacle(page, bundle)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    assert loads.have(".whl")
    status = python.run("""
        from nextauth_py import SessionProvider
        import pydantic
        (await SessionProvider().start().ready()).status
    """)
    assert status == "unauthenticated"
    assert loads.complaints == []
    python.expect_no_error_box()


def test_the_console_has_the_reason_whatever_was_thrown(page: Page, auth_server: AuthServer) -> None:
    page.add_init_script("window.DecompressionStream = function () { throw 'no room' }")
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "debug" else None)
    PythonPage(page).open(f"{auth_server.url}/python.html")
    assert "nextauth_py: fetched again, because no room" in told
    assert "nextauth_py: Pyodide's own boot, because no room" in told


# Slow lines

SAVING = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"


def test_on_a_slow_line_the_snapshot_is_for_the_next_visit(
    context: BrowserContext, auth_server: AuthServer
) -> None:
    context.add_init_script(SLOW)
    url = f"{auth_server.url}/python.html"
    first = context.new_page()
    python = PythonPage(first).open(url)
    assert not python.run(IS_RESTORED)
    assert python.run("from nextauth_py.models import Session; Session.__name__") == "Session"
    wait_until(first, MEMORY_IS_KEPT)
    assert PythonPage(context.new_page()).open(url).run(IS_RESTORED)


def test_where_each_byte_costs_no_snapshot_is_fetched(
    page: Page, auth_server: AuthServer, loads: Loads
) -> None:
    page.add_init_script(SLOW)
    page.add_init_script(SAVING)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    assert not python.run(IS_RESTORED)
    page.evaluate("() => new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve)))")
    assert not loads.have("/snapshot.bin")
    assert loads.complaints == []


# Kept


def test_the_memory_is_kept_inflated_for_the_next_page_instead_of_an_older_one(
    context: BrowserContext, auth_server: AuthServer
) -> None:
    page = context.new_page()
    page.goto(f"{auth_server.url}/api/auth/csrf")
    page.evaluate("""async () => {
        const cache = await caches.open("nextauth_py");
        for (const path of ["/static/dist/pyodide/old/snapshot.bin", "/another/bundle"]) {
            await cache.put(path, new Response("old"));
        }
    }""")
    PythonPage(page).open(f"{auth_server.url}/python.html")
    wait_until(page, f"async () => !(await ({KEPT})()).some((path) => path.includes('/old/'))")
    wait_until(page, MEMORY_IS_KEPT)
    assert "/another/bundle" in page.evaluate(KEPT)
    loads = Loads(page)
    PythonPage(page).open(f"{auth_server.url}/python.html")
    assert not any(map(loads.have, (".bin", ".wasm", ".whl")))


def test_where_nothing_can_be_kept_pages_start_from_it_all_the_same(
    page: Page, auth_server: AuthServer, loads: Loads
) -> None:
    page.add_init_script("caches.open = async () => { throw new DOMException('no', 'SecurityError') }")
    PythonPage(page).open(f"{auth_server.url}/python.html")
    assert not loads.have(".whl")
    assert loads.complaints == []


# As if it had booted by itself

RANDOM = """
    import os, random, secrets, tempfile, uuid
    [
        random.random(),
        random.randbytes(8).hex(),
        random.Random().random(),
        random.SystemRandom().random(),
        os.urandom(8).hex(),
        open("/dev/urandom", "rb").read(8).hex(),
        secrets.token_hex(8),
        uuid.uuid4().hex,
        uuid.uuid1().hex,
        next(tempfile._get_candidate_names()),
    ]
"""


def test_two_pages_have_no_random_numbers_in_common(context: BrowserContext, auth_server: AuthServer) -> None:
    url = f"{auth_server.url}/python.html"
    first, second = (PythonPage(context.new_page()).open(url).run(RANDOM) for _ in range(2))
    assert [one for one, other in zip(first, second, strict=True) if one == other] == []


def test_the_memory_holds_no_source_of_random_numbers_that_is_not_renewed(python: PythonPage) -> None:
    assert python.run("""
        import gc, random, sys
        held = [each for each in gc.get_objects() if isinstance(each, random.Random)]
        [each is random._inst for each in held if type(each) is not random.SystemRandom]
    """) == [True]


def test_the_clock_the_time_zone_and_the_language_are_the_visitors(
    browser: Browser, auth_server: AuthServer
) -> None:
    context = browser.new_context(timezone_id="Asia/Kolkata", locale="de-AT")
    context.add_init_script(FAST)
    outside = prepare(context)
    page = context.new_page()
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    zone, name, offset, language, age, late = python.run("""
        import datetime, logging, os, time
        import js
        now = datetime.datetime.now().astimezone()
        [
            time.timezone,
            [*time.tzname, time.localtime().tm_zone],
            now.utcoffset().total_seconds(),
            os.environ["LANG"],
            logging.makeLogRecord({}).relativeCreated,
            abs(time.time() - js.Date.now() / 1000),
        ]
    """)
    context.close()
    assert (zone, offset) == (-19_800, 19_800)
    assert name == ["UTC+0530"] * 3
    assert language == "de_AT.UTF-8"
    assert 0 <= age < 300_000
    assert late < 60
    assert outside == []


def test_nothing_of_the_machine_that_made_the_snapshot_is_in_it(bundle: Path) -> None:
    (snapshot,) = bundle.glob("pyodide/*/snapshot.bin")
    memory = gzip.decompress(snapshot.read_bytes())
    assert b"PYTHONINSPECT" in memory
    assert str(Path(__file__).parents[2]).encode() not in memory


def test_deferred_modules_are_hidden_and_imported_at_once(python: PythonPage) -> None:
    before, after = python.run("""
        import sys
        import nextauth_py
        before = [name for name in ("pydantic", "pydantic_core", "nextauth_py.models") if name in sys.modules]
        from nextauth_py.models import Session
        session = Session.model_validate_json('{"expires": "2100-01-01T00:00:00Z", "more": 1}')
        [before, ["pydantic" in sys.modules, session.more]]
    """)
    assert before == []
    assert after == [True, 1]


def test_modules_outside_of_the_memory_are_found_in_the_files(python: PythonPage) -> None:
    assert python.run("""
        import importlib.metadata
        import csv
        import pydantic.deprecated.tools
        import pyodide_http
        [importlib.metadata.version("pydantic")[0], pyodide_http.__name__]
    """) == ["2", "pyodide_http"]


def test_users_may_define_models_and_parse_text(python: PythonPage) -> None:
    assert python.run("""
        from pydantic import BaseModel, Field, ValidationError
        class Basket(BaseModel):
            count: int = Field(gt=0)
        try:
            Basket.model_validate({"count": 0})
        except ValidationError as error:
            told = error.error_count()
        [Basket(count="3").count, told]
    """) == [3, 1]


def test_a_script_can_wait_where_the_browser_can(python: PythonPage) -> None:
    assert (
        python.run("""
        import asyncio
        from pyodide.ffi import can_run_sync, run_sync
        async def seven():
            await asyncio.sleep(0)
            return 7
        run_sync(seven()) if can_run_sync() else 7
    """)
        == 7
    )


def test_the_packages_count_as_loaded(python: PythonPage) -> None:
    assert python.run("""
        import pyodide_js
        await pyodide_js.loadPackage("pydantic")
        sorted(name for name in pyodide_js.loadedPackages.to_py())
    """) == [
        *("annotated-types", "nextauth-py", "pydantic", "pydantic-core", "pyodide-http"),
        *("typing-extensions", "typing-inspection"),
    ]


# Firefox


@pytest.mark.skipif(FIREFOX_OPTIONS is None, reason="there is no Firefox, and none could be installed")
@pytest.mark.parametrize(("speed", "restored"), [(FAST, True), (SLOW, False)], ids=["fast", "slow"])
def test_firefox_starts_as_chromium_does(
    playwright: Playwright, auth_server: AuthServer, speed: str, restored: bool
) -> None:
    browser = playwright.firefox.launch(**(FIREFOX_OPTIONS or {}))
    context = browser.new_context()
    outside = prepare(context)
    context.add_init_script(speed)
    page = context.new_page()
    loads = Loads(page)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    assert python.run(IS_RESTORED) == restored
    assert not loads.have(".whl")
    assert python.run("""
        from nextauth_py.models import Session
        from nextauth_py import SessionProvider
        state = await SessionProvider().start().ready()
        [state.status, Session.model_validate_json('{"expires": "2100-01-01T00:00:00Z"}').user]
    """) == ["unauthenticated", None]
    browser.close()
    assert outside == []
