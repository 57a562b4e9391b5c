"""A session type whose validator raises what pydantic does not expect: the session does not fit, no more."""

from __future__ import annotations

import asyncio
import json

import pytest
from pydantic import field_validator

from nextauth_py import Session, SessionProvider, SessionValidationError, User
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .attacker import Attacker
from .conftest import name_in
from .fake_server import SESSION_COOKIE

FAULTS = [TypeError, KeyError, AttributeError, OverflowError, ZeroDivisionError, StopIteration]


def picky(fault: type[Exception]) -> type[Session]:
    class Picky(Session):
        @field_validator("user")
        @classmethod
        def check(cls, user: User | None) -> User | None:
            if user and user.name == "odd":
                raise fault("a secret of odd's")
            return user

    return Picky


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_page_says_so_and_heals_by_itself(
    browser: MemoryBrowser, tab: MemoryHost, fault: type[Exception]
) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "odd"})
    provider = SessionProvider(host=tab, session_type=picky(fault)).start()
    state = await provider.ready()
    assert isinstance(state.error, SessionValidationError)
    assert "secret" not in str(state.error)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    await asyncio.sleep(60)
    assert name_in(provider.state) == "alice"
    assert provider.state.error is None


@pytest.mark.parametrize("fault", FAULTS)
async def test_messages_of_another_tab_do_too(
    browser: MemoryBrowser, tab: MemoryHost, fault: type[Exception]
) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    provider = SessionProvider(host=tab, session_type=picky(fault)).start()
    await provider.ready()
    await asyncio.sleep(1)
    Attacker(browser).say("state", session={"user": {"name": "odd"}, "expires": "2099-01-01T00:00:00Z"})
    await asyncio.sleep(0.1)
    assert isinstance(provider.state.error, SessionValidationError)
    assert name_in(provider.state) == "alice"
