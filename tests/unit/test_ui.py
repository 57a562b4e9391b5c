"""What needs no browser of the user interface: who may see what, paths, bindings, keys, attributes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import AliasChoices, AliasPath, Field, PrivateAttr, create_model

from nextauth_py import Auth, Session, SessionProvider, User, keyed
from nextauth_py.access import checked_auth
from nextauth_py.content.parts import keys_of
from nextauth_py.core.paths import (
    checked_condition,
    checked_path,
    read_path,
)
from nextauth_py.testing.memory import MemoryHost
from nextauth_py.ui.bind import bind

from .fake_server import EXPIRES


def session(**extra: Any) -> Session:
    given = extra.pop("user", {})
    user = {"name": "Alice", **given} if isinstance(given, dict) else given
    return Session.model_validate({"user": user, "expires": EXPIRES, **extra})


# --- who may see what ---


@pytest.mark.parametrize(
    "holder",
    [
        session(user={"role": "admin"}),
        session(user={"roles": ["staff", "admin"]}),
        session(role="admin"),
        session(roles=["admin"]),
    ],
)
def test_a_role_is_found_wherever_servers_put_it(holder: Session) -> None:
    assert Auth(role="admin").admits(holder)
    assert Auth(role=["owner", "admin"]).admits(holder)
    assert not Auth(role="owner").admits(holder)


@pytest.mark.parametrize(
    "other",
    [
        session(),
        session(role="adm"),
        session(role={"admin": True}),
        session(role=["x", 3]),
        session(role="Admin"),
    ],
)
def test_another_role_or_none_is_not_enough(other: Session) -> None:
    assert not Auth(role="admin").admits(other)


def test_a_role_is_found_in_a_user_of_any_type_and_under_any_alias() -> None:
    class Shop(Session):
        user: dict[str, Any]  # type: ignore[assignment]
        rank: str = Field(alias="role")

    holder = Shop.model_validate({"user": {"roles": ["a"]}, "role": "b", "expires": EXPIRES})
    assert Auth(role="a").admits(holder)
    assert Auth(role="b").admits(holder)
    for user in (None, "admin", ["admin"], 7):
        assert not Auth(role="admin").admits(session(user=user))


class Rank(Enum):
    ADMIN = "admin"
    OTHER = 1


@pytest.mark.parametrize("kind", [frozenset[str], set[Rank], list[Rank], tuple[str, ...]], ids=str)
def test_a_session_type_may_keep_roles_as_it_likes(kind: Any) -> None:
    shop: Any = create_model("shop", __base__=Session, roles=kind, role=(Rank | None, None))
    assert Auth(role="admin").admits(shop(expires=EXPIRES, roles=["admin"]))
    assert Auth(role="admin").admits(shop(expires=EXPIRES, roles=[], role="admin"))
    assert not Auth(role="owner").admits(shop(expires=EXPIRES, roles=["admin"], role=1))


def test_a_function_may_decide_and_a_role_must_hold_too() -> None:
    assert Auth(allow=lambda each: each.user.name == "Alice").admits(session())
    assert not Auth(role="admin", allow=lambda _each: True).admits(session())
    assert not Auth(role="admin", allow=lambda _each: False).admits(session(role="admin"))
    assert Auth().admits(session())


def test_a_session_without_a_user_has_no_role() -> None:
    assert not Auth(role="admin").admits(Session.model_validate({"expires": EXPIRES}))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Auth(allow="admin"), "allow takes a function"),  # type: ignore[arg-type]
        (lambda: Auth(allow=asyncio.sleep), "allow takes a function"),  # type: ignore[arg-type]
        (lambda: Auth(role=3), "role takes a text or several"),  # type: ignore[arg-type]
        (lambda: Auth(unauthorized=print), "unauthorized takes a path"),  # type: ignore[arg-type]
        (lambda: checked_auth("admin"), r"auth takes True, False or Auth\(…\)"),
    ],
)
def test_a_wrong_option_is_refused_by_name(make: Callable[[], object], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        make()


def test_true_asks_for_a_session_only() -> None:
    assert checked_auth(True) == Auth()
    assert checked_auth(False) is None
    assert checked_auth(Auth(role="x")) == Auth(role="x")


# --- paths ---


@pytest.mark.parametrize(
    "path",
    [
        *("user.name", "expires", "user.address.city2", "_id", "user._id", "user.schema", "user.__typename"),
        *(
            "user.roles.0",
            "rows.10.2",
            "user.2fa",
            "user.model_dump",
            "user.first-name",
            "user.größe",
            "a.-1",
        ),
    ],
)
def test_a_path_is_names_or_positions_with_dots(path: str) -> None:
    assert checked_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "user.",
        ".name",
        "user..name",
        "user name",
        "user[0]",
        "__class__",
        "user.__dict__",
        "a/b",
        "a:b",
        "a@b",
    ],
)
def test_invalid_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path into a session"):
        checked_path(path)


def test_a_path_leads_through_models_and_mappings_and_ends_where_nothing_is() -> None:
    shown = session(user={"address": {"city": "Oxford"}})
    assert read_path(shown, "user.address.city") == "Oxford"
    assert read_path(shown, "user.address.street") is None
    assert read_path(shown, "user.email.domain") is None
    assert read_path(shown, "user.model_dump") is None
    assert read_path(Session.model_validate({"expires": EXPIRES}), "user.name") is None


# What a model has besides its fields, and a field for each of these names.
TAKEN = [
    *(name for name in dir(User) if not name.startswith("__")),
    "_id",
    "fields",
    "self",
    "length",
    "a-b",
    "größe",
]


@pytest.mark.parametrize("name", TAKEN)
def test_a_field_of_any_name_is_a_field(name: str) -> None:
    shown = session(user={name: "theirs"}, **{name: {"in": "ours"}} if name != "user" else {})
    assert read_path(shown, f"user.{name}") == "theirs"
    assert name == "user" or read_path(shown, f"{name}.in") == "ours"
    assert read_path(session(user=[{name: "in a list"}]), f"user.0.{name}") == "in a list"
    assert read_path(session(user={}), f"user.{name}") is None


def test_a_path_leads_to_positions_of_lists() -> None:
    shown = session(user={"roles": ["a", "b"], "2": "two"}, grid=[[1], [2, {"x": 3}]])
    assert [read_path(shown, f"user.roles.{at}") for at in ("0", "1", "2", "00", "-1", "9" * 5000)] == [
        *("a", "b"),
        *(None, None, None, None),
    ]
    assert read_path(shown, "grid.1.1.x") == 3
    assert read_path(shown, "user.2") == "two"
    assert read_path(shown, "user.roles.append") is None
    assert read_path(session(user="alice"), "user.0") is None


def test_a_path_leads_to_a_session_types_own_value_of_a_field() -> None:
    class Shop(Session):
        scores: dict[int, str]

        @property
        def schema(self) -> str:  # type: ignore[override]
            return "ours"

    shown = Shop.model_validate({"expires": EXPIRES, "scores": {"7": "seven"}})
    assert read_path(shown, "scores.7") == "seven"
    assert read_path(shown, "schema") == "ours"


def test_a_path_may_name_a_field_as_the_server_does_or_as_the_session_type_does() -> None:
    class Shop(Session):
        number: int = Field(alias="customerNumber")
        key: str = Field(validation_alias="_id")
        chosen: str = Field("", validation_alias=AliasChoices("first", AliasPath("list", 0)))
        placed: str = Field("", validation_alias=AliasPath("list", 1))
        _hidden: str = PrivateAttr("hidden")

        @property
        def label(self) -> str:
            return f"no. {self.number}"

        def method(self) -> None: ...

    shown = Shop.model_validate(
        {"expires": EXPIRES, "customerNumber": 7, "_id": "x", "number": "theirs", "first": "f"}
    )
    names = (
        "first",
        "chosen",
        "placed",
        "number",
        "customerNumber",
        "key",
        "_id",
        "label",
        "expires.year",
        "method",
        "_hidden",
    )
    assert [read_path(shown, name) for name in names] == [
        "f",
        "f",
        "",
        7,
        7,
        "x",
        "x",
        "no. 7",
        2026,
        None,
        None,
    ]


def test_a_condition_is_a_status_or_a_path(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab)
    holds = checked_condition("unauthenticated user.vip")
    state = provider.state
    assert not holds(state)
    assert checked_condition("loading error")(state)
    for wrong in ("", "signed in!"):
        with pytest.raises(ValueError, match="is"):
            checked_condition(wrong)


# --- keys ---


def test_rows_have_keys_all_or_none() -> None:
    assert keys_of([keyed(1, "a"), keyed("b", "b")]) == [1, "b"]
    assert keys_of(["a", None]) is None
    assert keys_of([]) is None
    with pytest.raises(TypeError, match="either all rows"):
        keys_of([keyed(1, "a"), "b"])
    with pytest.raises(ValueError, match="the key 1"):
        keys_of([keyed(1, "a"), keyed(1, "b")])
    for wrong in (None, 1.5, True):
        with pytest.raises(TypeError, match="as the key"):
            keys_of([keyed(wrong, "a")])  # type: ignore[arg-type]


# --- bindings ---


class Element:
    """As much of a DOM element as bindings touch."""

    def __init__(self) -> None:
        self.textContent = "Loading…"
        self.hidden = False
        self.attributes: dict[str, str] = {}
        self.classes: set[str] = set()
        self.writes = 0
        self.css: dict[str, str] = {}
        self.style = SimpleNamespace(
            setProperty=lambda name, value, _priority: self.css.update({name: value}),
            removeProperty=lambda name: self.css.pop(name, None),
        )
        self.classList = SimpleNamespace(toggle=self._toggle)

    def setAttribute(self, name: str, value: str) -> None:  # noqa: N802 - the DOM's names
        self.writes += 1
        self.attributes[name] = value

    def removeAttribute(self, name: str) -> None:  # noqa: N802
        self.writes += 1
        self.attributes.pop(name, None)

    def _toggle(self, name: str, on: bool) -> None:
        (self.classes.add if on else self.classes.discard)(name)


def alice(**user: Any) -> dict[str, Any]:
    return {"user": {"name": "Alice", **user}, "expires": EXPIRES}


async def test_an_element_follows_the_session_until_it_is_let_go(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    element = Element()
    undo = bind(
        provider,
        element,
        text=lambda s: s.user.name,
        attr={"SRC": "user.image", "title": lambda s: s.user.name},
        show=True,
        class_={"vip": "user.vip", "out": "unauthenticated"},
    )
    assert (element.textContent, element.attributes, element.hidden) == ("", {}, True)
    assert (element.css, element.classes) == ({"display": "none"}, {"out"})
    provider.session = alice(image="/a.png", vip=True)
    assert (element.textContent, element.hidden, element.css) == ("Alice", False, {})
    assert element.attributes == {"src": "/a.png", "title": "Alice"}
    assert element.classes == {"vip"}
    undo()
    provider.session = None
    assert element.textContent == "Alice"


async def test_bindings_and_conditions_show_fields_of_any_name(tab: MemoryHost) -> None:
    user = {"schema": "S", "_id": 7, "roles": ["admin"], "json": False, "copy": [], "dict": {"a": 0}}
    provider = SessionProvider({"user": user, "expires": EXPIRES}, host=tab).start()
    element = Element()
    conditions = {"schema", "_id", "roles.0", "roles.1", "json", "copy", "dict", "model_config", "validate"}
    bind(
        provider,
        element,
        text="user.schema",
        attr={"title": "user.roles.0", "lang": "user.roles.1", "alt": "user._id"},
        show="user.copy",
        class_={name: f"user.{name}" for name in conditions},
    )
    assert element.textContent == "S"
    assert element.attributes == {"title": "admin", "alt": "7"}
    assert element.hidden
    assert element.classes == {"schema", "_id", "roles.0", "dict"}


async def test_an_element_can_keep_its_content_until_the_next_change(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    element = Element()
    bind(provider, element, text="user.name", at_once=False)
    assert element.textContent == "Loading…"
    provider.session = alice()
    assert element.textContent == "Alice"


async def test_unchanged_properties_are_not_written(tab: MemoryHost) -> None:
    provider = SessionProvider(alice(), host=tab).start()
    element = Element()
    bind(provider, element, attr={"title": "user.name"})
    provider.session = alice(email="a@example.com")
    assert element.writes == 1


async def test_a_function_that_fails_is_reported_and_leaves_the_element_empty(tab: MemoryHost) -> None:
    provider = SessionProvider(alice(), host=tab).start()
    element = Element()
    bind(provider, element, text=lambda s: s.user.nickname.upper())
    assert element.textContent == ""
    assert [message for message, _ in tab.reports] == ["a binding failed"]


async def test_a_binding_that_binds_nothing_is_refused(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    with pytest.raises(ValueError, match="bind what"):
        bind(provider, Element())
    with pytest.raises(TypeError, match="a path like"):
        bind(provider, Element(), text=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("show", "shown"), [(False, True), ("unauthenticated", True), ("user.vip", False)])
async def test_an_element_can_be_shown_while_signed_out(
    tab: MemoryHost, show: str | bool, shown: bool
) -> None:
    provider = SessionProvider(None, host=tab).start()
    element = Element()
    bind(provider, element, show=show)
    assert element.hidden is not shown
