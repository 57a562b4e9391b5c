"""Every Python example of the docs runs, and does what its text says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mypy import api
from playwright.sync_api import Browser, Page, expect

from demo.serve import AuthServer
from nextauth_py.testing import sign_in_as
from tests.peers import WHEELS

from .conftest import shared_page
from .python_page import PythonPage

DOCS = Path(__file__).parents[2] / "docs"

UPDATE = "POST /api/auth/session"


def examples(name: str) -> list[str]:
    """The Python blocks of a page of the docs."""
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)


def example(name: str, containing: str) -> str:
    """The one with a certain text in it."""
    (found,) = [each for each in examples(name) if containing in each]
    return found


# Those of pages. What runs elsewhere is tested below, and in tests/servers.
PAGES = ("components.md", "popups.md", "refetching.md")
ALL = [
    (name, number)
    for name in PAGES
    for number, code in enumerate(examples(name))
    if not code.startswith("# test_")
]


@pytest.fixture(scope="module")
def shared(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    """One page for all examples."""
    with shared_page(browser, f"{auth_server.url}/python.html") as python:
        # As somebody whom the guards of the examples let in.
        python.run("""
            from nextauth_py import sign_in
            await sign_in("credentials", username="alice", password="wonder", redirect=False)
            1
        """)
        (reaktiv,) = WHEELS.glob("reaktiv-*.whl")
        python.run(f"import pyodide_js; await pyodide_js.loadPackage('/wheels/{reaktiv.name}'); 1")
        yield python


@pytest.mark.parametrize(("name", "number"), ALL)
def test_an_example_runs(shared: PythonPage, name: str, number: int) -> None:
    code = examples(name)[number]
    ids = sorted(set(re.findall(r'"#([a-z]+)"', code)))
    shared.page.evaluate(
        "html => { document.body.innerHTML = html }", "".join(f"<div id={each}></div>" for each in ids)
    )
    shared.run(code + "\n1")
    shared.run("""
        from nextauth_py.provider import current_provider
        while provider := current_provider():
            await provider.ready()
            provider.close()
    """)
    shared.expect_no_error_box()
    expect(shared.page.locator("body")).not_to_contain_text("could not be shown")


def test_a_list_of_tasks_grows(shared: PythonPage) -> None:
    shared.page.evaluate("document.body.innerHTML = '<div id=tasks></div>'")
    shared.run(example("components.md", "from reaktiv import") + "\n1")
    field = shared.page.get_by_label("New task")
    field.fill("Bake bread")
    field.press("Enter")
    expect(shared.page.get_by_role("listitem")).to_have_text(["Water the plants", "Bake bread"])
    expect(shared.page.locator("#tasks")).to_contain_text("2 to do")
    expect(field).to_have_value("")


def test_the_attributes_of_the_docs_make_sense(shared: PythonPage) -> None:
    (html,) = re.findall(r"```html\n(.*?)```", (DOCS / "components.md").read_text("utf-8"), re.DOTALL)
    shared.page.evaluate("html => { document.body.innerHTML = html }", html)
    shared.run("""
        from nextauth_py import SessionProvider, bind_page
        provider = SessionProvider(None).start()
        stop = bind_page()
    """)
    expect(shared.page.get_by_role("button", name="Sign in with GitHub")).to_be_visible()
    expect(shared.page.get_by_role("button", name="Sign out")).to_be_hidden()
    shared.run("stop(); provider.close()")


def test_a_session_type_reaches_the_hook(tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text(
        example("components.md", "class ShopSession")
        + "\nif session.data:\n    reveal_type(session.data.role)\n"
    )
    told, _, _ = api.run([str(tmp_path / "page.py"), "--python-version", "3.14"])
    assert 'Revealed type is "Literal[' in told
    assert "Success" in told


def test_polling_by_hand_updates_every_hour(page: Page, auth_server: AuthServer) -> None:
    page.clock.install()
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(example("refetching.md", "async def poll"))
    page.clock.fast_forward("00:58:00")
    python.run("await session._provider.ready(); 1")
    assert python.count(UPDATE) == 0
    with page.expect_request_finished(lambda request: request.method == "POST"):
        page.clock.fast_forward("00:02:00")
    assert python.count(UPDATE) == 1


def test_updating_by_hand_when_the_page_comes_into_view(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(example("refetching.md", "async def on_visibility"))
    python.run("await session._provider.ready(); 1")
    with page.expect_request_finished(lambda request: request.method == "POST"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert python.count(UPDATE) == 1


@pytest.mark.parametrize("number", range(len(examples("workers.md"))))
def test_an_example_for_workers_runs(worker: PythonPage, number: int) -> None:
    worker.run(examples("workers.md")[number] + "\n1")


def test_what_a_worker_prints(worker: PythonPage) -> None:
    code = example("workers.md", "urlopen")
    print_it = f"""
        import contextlib
        import io

        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec({code!r})
        said.getvalue()
    """
    assert worker.run(print_it) == "401\n"
    sign_in_as(worker.page, username="alice", password="wonder")
    assert worker.run(print_it) == "Alice Liddell\n"
    worker.page.context.clear_cookies()


@pytest.fixture(scope="module")
def worker(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    """A page whose Python runs in a worker."""
    with shared_page(browser, f"{auth_server.url}/worker.html") as worker:
        yield worker


def test_the_examples_of_tests_pass(tmp_path: Path) -> None:
    for code in examples("testing.md")[:2]:
        name = code.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(code, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_account.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "5 passed" in done.stdout, done.stdout + done.stderr


# As the one in the docs, in a Python that need not know t-strings.
IN_A_POPUP = """
from nextauth_py import SessionProvider, component, sign_in, use_session
from tests.unit.templates import Template

SessionProvider().start()


@component("#account")
def account():
    session = use_session()
    if session.status == "authenticated":
        return f"Signed in as {session.data.user.name}"
    return Template("<button @click=", lambda: sign_in("github", popup=True), ">Sign in</button>")
"""


def test_the_examples_of_tests_of_popups_pass(tmp_path: Path) -> None:
    (tmp_path / "account.py").write_text(IN_A_POPUP, "utf-8")
    (tmp_path / "test_popup.py").write_text(example("popups.md", "finish_popup("), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_popup.py"]
    environment = {**os.environ, "PYTHONPATH": str(DOCS.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_example_of_a_test_in_a_browser_passes(page: Page) -> None:
    names: dict[str, Any] = {}
    exec(example("testing.md", "sign_in_as(page"), names)
    names["test_the_account_page"](page)
