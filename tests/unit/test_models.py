"""The models: tolerant of what servers send, silent about what is in it."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, field_validator

from nextauth_py import Provider, Session, SessionValidationError, User
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


class Named(User):
    name: str


class Strict(Session):
    user: Named


def test_misfits_are_named_without_their_values() -> None:
    with pytest.raises(SessionValidationError) as caught:
        read_model(Strict, {"user": {"name": {"secret": "hunter2"}}, "expires": "hunter2"})
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


# --- fields of another kind ---

ODD_USERS: list[Any] = [None, "alice", "", 7, 0.5, True, [], ["alice"], [[{"name": 1}]], {}, {"name": {}}]


def read(user: object, **fields: object) -> Session:
    return read_model(Session, {"user": user, "expires": EXPIRES, **fields})


@pytest.mark.parametrize(
    ("sent", "text"),
    [(7, "7"), (0, "0"), (-1, "-1"), (1.5, "1.5"), (2**63, "9223372036854775808"), ("7", "7")],
)
def test_a_number_as_id_becomes_text(sent: object, text: str) -> None:
    user = read({"id": sent}).user
    assert user
    assert user.id == text


@pytest.mark.parametrize("field", ["id", "name", "email", "image"])
@pytest.mark.parametrize("value", [True, ["a"], {"$oid": "a"}, [], {}])
def test_values_of_other_types_are_kept_as_they_came(field: str, value: object) -> None:
    assert getattr(read({field: value}).user, field) is value


def test_a_number_as_name_is_kept_as_it_came() -> None:
    user: Any = read({"name": 7, "email": 0.5}).user
    assert (user.name, user.email) == (7, 0.5)


@pytest.mark.parametrize("user", [each for each in ODD_USERS if not isinstance(each, dict)])
def test_a_user_that_is_no_object_is_kept_as_it_came(user: object) -> None:
    assert read(user).user is user


def test_the_end_of_a_session_must_be_a_date() -> None:
    ends: list[object] = [None, "soon", {}, []]
    for expires in ends:
        with pytest.raises(SessionValidationError):
            read({}, expires=expires)


def test_a_type_of_ones_own_may_refuse() -> None:
    class Careful(User):
        @field_validator("email")
        @classmethod
        def check(cls, email: object) -> object:
            assert isinstance(email, str)
            return email

    class Checked(Session):
        user: Careful | None = None

    class Numbered(User):
        id: int  # type: ignore[assignment]

    class WithNumbers(Session):
        user: Numbered

    for model, user in ((Strict, None), (Strict, {}), (Strict, "x"), (Checked, {"email": 7})):
        with pytest.raises(SessionValidationError):
            read_model(model, {"user": user, "expires": EXPIRES})
    with pytest.raises(SessionValidationError):
        read_model(WithNumbers, {"user": {"id": "x"}, "expires": EXPIRES})
    assert read_model(WithNumbers, {"user": {"id": 7, "name": 8}, "expires": EXPIRES}).user.id == 7


def test_misfits_are_named_as_the_server_names_them() -> None:
    class Renamed(Session):
        number: int = Field(alias="theNumber")
        role: str = Field(validation_alias="shopRole")
        one_of: int = Field(validation_alias=AliasChoices("first", "second"))
        rank: int = Field(validation_alias=AliasPath("user", "rank"))

    with pytest.raises(SessionValidationError) as caught:
        read_model(Renamed, {"expires": EXPIRES, "shopRole": 7, "user": {"rank": "hunter2"}})
    assert caught.value.fields == ("theNumber", "shopRole", "first", "user.rank")
    assert "hunter2" not in str(caught.value)


class Rank(Enum):
    ADMIN = "admin"


class StrictUser(User):
    model_config = ConfigDict(strict=True)

    since: datetime


class WithStrictUser(Session):
    user: StrictUser


class WhollyStrict(Session):
    model_config = ConfigDict(strict=True)

    user: StrictUser
    rank: Rank
    tags: set[str]


@pytest.mark.parametrize("model", [WithStrictUser, WhollyStrict])
def test_a_strict_type_reads_dates_and_enums_from_json(model: type[Session]) -> None:
    raw = {"user": {"id": "7", "since": EXPIRES}, "rank": "admin", "tags": ["a"], "expires": EXPIRES}
    session: Any = read_model(model, raw)
    assert (session.user.id, session.user.since, session.expires) == ("7", session.expires, session.expires)
    assert read_model(model, {**raw, "expires": session.expires}) == session
    with pytest.raises(SessionValidationError) as caught:
        read_model(model, {**raw, "user": {"since": "hunter2"}})
    assert caught.value.fields == ("user.since",)


# --- fields of any name ---

INHERITED = [name for name in dir(BaseModel) if not name.startswith("_")]
METHODS = [name for name in INHERITED if not name.startswith("model_")]


@pytest.mark.parametrize("name", [*METHODS, "_id", "fields", "self", "until"])
def test_a_field_may_have_the_name_of_a_method(name: str) -> None:
    session = read({name: "theirs"}, **{name: ["ours"]})
    assert getattr(session.user, name) == "theirs"
    assert getattr(session, name) == ["ours"]


def test_without_such_a_field_the_methods_are_there() -> None:
    user = User(id="7")
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        assert user.copy() == user
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        assert "name" in User.schema()["properties"]
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        assert Named.construct(name="Alice").name == "Alice"


def test_a_type_of_ones_own_may_name_its_methods_so() -> None:
    class Own(Session):
        def json(self) -> str:  # type: ignore[override]
            return "mine"

    assert read_model(Own, {"expires": EXPIRES, "json": "x"}).json() == "mine"


@pytest.mark.filterwarnings("ignore:Field name .* shadows an attribute:UserWarning")
def test_a_type_of_ones_own_may_name_its_fields_so() -> None:
    class Own(Session):
        copy: str  # type: ignore[assignment]
        schema: str = "default"  # type: ignore[assignment]

    own = read_model(Own, {"expires": EXPIRES, "copy": "x"})
    assert (own.copy, own.schema) == ("x", "default")
    with pytest.raises(SessionValidationError):
        read_model(Own, {"expires": EXPIRES})


HOSTILE = {name: name.upper() for name in [*INHERITED, *dir(User), "_id", "__proto__", "", "a.b", "ü"]}


ODD_SESSIONS = [{}, *({"user": user} for user in ODD_USERS), {**HOSTILE, "user": HOSTILE}]


@pytest.mark.parametrize("fields", ODD_SESSIONS, ids=range(len(ODD_SESSIONS)))
def test_whatever_is_in_it_a_session_can_be_written_copied_and_compared(fields: dict[str, Any]) -> None:
    session = read_model(Session, {**fields, "expires": EXPIRES})
    raw = session.model_dump(mode="json")
    assert Session.model_validate(raw) == session
    assert Session.model_validate_json(session.model_dump_json()) == session
    assert Session.model_validate_json(json.dumps(raw)) == session
    assert session == session.model_copy() == session.model_copy(deep=True)
    assert session == copy.copy(session) == copy.deepcopy(session) == pickle.loads(pickle.dumps(session))
    assert repr(session) == repr(copy.deepcopy(session))
    assert session != read({"id": "another"})


# --- types that are strict ---


def test_a_strict_type_reads_json_as_json() -> None:
    class Exact(Session):
        model_config = ConfigDict(strict=True)
        number: UUID
        roles: set[str]
        level: int = 0

    raw = {"expires": EXPIRES, "number": str(UUID(int=7)), "roles": ["a"]}
    session = read_model(Exact, raw)
    assert (session.expires.year, session.number, session.roles) == (2026, UUID(int=7), {"a"})
    with pytest.raises(SessionValidationError, match="level: int_type") as caught:
        read_model(Exact, {**raw, "level": "7"})
    assert caught.value.fields == ("level",)
