"""The models: tolerant of what servers send, silent about what is in it."""

from __future__ import annotations

import pytest

from nextauth_py import Provider, Session, SessionValidationError
from nextauth_py.models import read_model

EXPIRES = "2026-02-01T00:00:00.000Z"


def test_unknown_fields_are_kept_and_user_fields_may_be_missing() -> None:
    session = read_model(
        Session, {"user": {"name": "Alice", "role": "staff"}, "expires": EXPIRES, "token": 1}
    )
    assert session.user
    assert session.user.email is None
    assert session.user.role == "staff"  # type: ignore[attr-defined]
    assert session.token == 1  # type: ignore[attr-defined]


def test_a_session_may_have_no_user() -> None:
    assert read_model(Session, {"expires": EXPIRES}).user is None


def test_a_subclass_types_its_fields() -> None:
    class ShopSession(Session):
        cart: list[int]

    assert read_model(ShopSession, {"expires": EXPIRES, "cart": ["1"]}).cart == [1]


def test_what_does_not_fit_is_named_without_its_value() -> None:
    with pytest.raises(SessionValidationError) as caught:
        read_model(Session, {"user": {"name": {"secret": "hunter2"}}, "expires": "hunter2"})
    assert caught.value.fields == ("user.name", "expires")
    assert "user.name: string_type" in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.args)


def test_a_provider_is_read_by_its_names_on_the_wire() -> None:
    raw = {"id": "x", "name": "X", "type": "oauth", "signinUrl": "/in", "callbackUrl": "/back", "style": {}}
    provider = read_model(Provider, raw)
    assert (provider.signin_url, provider.callback_url) == ("/in", "/back")


def test_an_error_names_no_keys_of_the_sessions_own_mappings_and_is_short() -> None:
    class Scores(Session):
        scores: dict[str, int]

    raw = {"expires": "2099-01-01T00:00:00Z", "scores": {"alice@example.com": "x"}}
    with pytest.raises(SessionValidationError) as caught:
        read_model(Scores, raw)
    assert "scores" in str(caught.value)
    assert "alice" not in str(caught.value)
    raw["scores"] = {f"{number:0100}": "x" for number in range(9_000)}
    with pytest.raises(SessionValidationError) as caught:
        read_model(Scores, raw)
    assert len(str(caught.value)) < 5_000
