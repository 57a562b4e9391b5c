"""Real auth servers, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from demo.serve import AuthServer, install_server

from . import SERVER_SCRIPT
from .control import ServerControl
from .raw import RawServer
from .visits import Both


@pytest.fixture(scope="session", params=["v4", "v5"])
def auth_server(request: pytest.FixtureRequest) -> Iterator[AuthServer]:
    install_server()
    with AuthServer({}, script=SERVER_SCRIPT, generation=request.param) as server:
        yield server


@pytest.fixture
def control(auth_server: AuthServer) -> Iterator[ServerControl]:
    with ServerControl(auth_server.url) as control:
        yield control


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(auth_server: AuthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTAUTH_URL", auth_server.url)


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


@pytest.fixture(params=["async", "blocking"])
def visit(request: pytest.FixtureRequest) -> Callable[..., Both]:
    return lambda headers, **options: Both(request.param, headers, **options)


def sign_in(server: AuthServer, username: str, password: str) -> dict[str, str]:
    """The cookies of a visitor who has signed in."""
    with httpx.Client(base_url=f"{server.url}/api/auth/", trust_env=False) as client:
        token = client.get("csrf").json()["csrfToken"]
        form = {"csrfToken": token, "username": username, "password": password, "json": "true"}
        answer = client.post("callback/credentials", data=form, headers={"X-Auth-Return-Redirect": "1"})
        assert "error" not in answer.json()["url"]
        return dict(client.cookies)


@pytest.fixture
def alice(auth_server: AuthServer) -> dict[str, str]:
    """The cookies of alice, who is an admin."""
    return sign_in(auth_server, "alice", "wonder")


@pytest.fixture
def bob(auth_server: AuthServer) -> dict[str, str]:
    """The cookies of bob, who is none."""
    return sign_in(auth_server, "bob", "builder")


def header(cookies: dict[str, str]) -> str:
    """Cookies as a browser sends them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
