"""`nextauth-py check` at real servers, right and wrong."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.serve import AuthServer, install_server
from nextauth_py.bundle import build_bundle
from nextauth_py.bundle.cli import main

from . import SERVER_SCRIPT
from .control import ServerControl

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "static/dist"


@pytest.fixture(scope="module", params=["v4", "v5"])
def auth_server(request: pytest.FixtureRequest) -> Iterator[AuthServer]:
    """The demo, with its pages and a bundle."""
    install_server()
    build_bundle(BUNDLE)
    mounts = {"/static/dist": BUNDLE, "/": ROOT / "demo/pages"}
    with AuthServer(mounts, script=SERVER_SCRIPT, generation=request.param, compresses=True) as server:
        yield server


@pytest.fixture
def control(auth_server: AuthServer) -> Iterator[ServerControl]:
    with ServerControl(auth_server.url) as control:
        yield control


def check(capsys: pytest.CaptureFixture[str], url: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["check", url, "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def faults(findings: list[dict[str, Any]]) -> list[str]:
    return [f"{each['subject']}: {each['text']}" for each in findings if each["level"] == "error"]


@pytest.mark.parametrize("page", ["guarded.html", "state.html", "way-component.html"])
def test_the_demo_is_in_order(auth_server: AuthServer, capsys: pytest.CaptureFixture[str], page: str) -> None:
    code, findings = check(capsys, f"{auth_server.url}/{page}")
    assert (code, faults(findings)) == (0, [])
    assert (
        f"{'NextAuth' if auth_server.generation == 'v4' else 'Auth.js'} {auth_server.generation}, with"
        in findings[0]["text"]
    )
    assert {each["level"] for each in findings} <= {"ok", "note", "warning"}
    assert any(each["text"] == "the bundle is there" for each in findings)


def test_auth_routes_that_middleware_protects_are_found(
    auth_server: AuthServer, control: ServerControl, capsys: pytest.CaptureFixture[str]
) -> None:
    control.answer("GET /api/auth/session", "<!doctype html><p>Sign in", kind="text/html")
    code, findings = check(capsys, f"{auth_server.url}/guarded.html", "--base-path", "/api/auth")
    assert code == 1
    assert faults(findings) == [f"{auth_server.url}/api/auth/session: answers HTML, not JSON"]


def test_a_bundle_that_is_not_whole_is_found(
    auth_server: AuthServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(BUNDLE, tmp_path / "py", ignore=shutil.ignore_patterns("lit.js", "*.bin"))
    mounts = {"/static/dist": tmp_path / "py", "/": ROOT / "demo/pages"}
    with AuthServer(mounts, script=SERVER_SCRIPT, generation=auth_server.generation) as broken:
        code, findings = check(capsys, f"{broken.url}/guarded.html")
    assert code == 1
    (missing,) = [line for line in faults(findings) if line.endswith(": HTTP 404")]
    assert re.search(r"/lit/lit\.js and \d more", missing)  # the snapshot, and the other parts of Python


def test_a_wrong_base_path_is_found(auth_server: AuthServer, capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = check(capsys, f"{auth_server.url}/guarded.html", "--base-path", "/auth")
    assert code == 1
    assert faults(findings) == [f"{auth_server.url}/auth/session: answers HTTP 404"]


def test_lines_are_for_people(auth_server: AuthServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"{auth_server.url}/guarded.html"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok ", "note ", "warning ")) and line.endswith(".") for line in lines)


@pytest.mark.parametrize("url", ["http://localhost:9/", "localhost", "file:///etc", ""])
def test_what_cannot_be_asked_ends_with_2(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["check", url]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
