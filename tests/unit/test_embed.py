"""The session in a page: nothing in it can end its element, and what comes out is what went in."""

from __future__ import annotations

import html.parser
import json
import logging
from types import MappingProxyType
from typing import Annotated, Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    computed_field,
)
from pydantic.alias_generators import to_camel

from nextauth_py import Session
from nextauth_py.server import session_script

EXPIRES = "2099-01-01T00:00:00Z"
NASTY = "</script><script>alert(1)</script><!-- <![CDATA[ ]]> & &lt; \u2028\u2029 \\ \" ' 😀 ü"


class Reader(html.parser.HTMLParser):
    """Elements and their text, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Any:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.tags == ["script"]
    return json.loads(reader.text)


def test_a_session_comes_out_as_it_went_in() -> None:
    session = Session.model_validate(
        {"user": {"name": NASTY, "role": "admin"}, "expires": "2099-01-01T00:00:00Z", NASTY: [NASTY]}
    )
    assert Session.model_validate(read(session_script(session))) == session


def test_signed_out_is_null() -> None:
    assert session_script(None) == '<script type="application/json" id="nextauth-session">null</script>'


def test_special_characters_of_html_are_escaped() -> None:
    inside = session_script({"user": {"name": NASTY}}).removeprefix(
        '<script type="application/json" id="nextauth-session">'
    )
    inside = inside.removesuffix("</script>")
    assert not set("<>&\u2028\u2029") & set(inside)


@given(st.dictionaries(st.text(), st.text(st.sampled_from(NASTY))))
def test_any_text_comes_out_as_it_went_in(session: dict[str, str]) -> None:
    assert read(session_script(session)) == session


def test_templates_leave_it_as_it_is() -> None:
    template = jinja2.Environment(autoescape=True).from_string("{{ script }}{{ name }}")
    shown = template.render(script=session_script(None), name="<b>")
    assert shown == f"{session_script(None)}&lt;b&gt;"


def test_other_values_than_sessions_are_refused() -> None:
    with pytest.raises(TypeError, match="session_script takes a Session"):
        session_script("alice")  # type: ignore[arg-type]


def test_half_an_emoji_comes_out_as_it_went_in() -> None:
    session = {"user": {"name": "half \ud83d"}, "expires": EXPIRES}
    assert read(session_script(session)) == session
    model = Session.model_validate(session)
    assert Session.model_validate(read(session_script(model))) == model
    odd = {"\ude00": ["\udcff", "\ud83d\ude00", "\ude00\ud83d"]}
    assert read(session_script(odd)) == {"\ude00": ["\udcff", "\N{GRINNING FACE}", "\ude00\ud83d"]}
    assert session_script(odd).isascii()

    named: dict[str, Any] = {
        "expires": EXPIRES,
        "user": {"\ud83d": {"\ude00": "\ud83d"}},
        "at": [{"\ud83d": 1}],
    }
    assert read(session_script(Session.model_validate(named)))["user"] == named["user"]


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    first_name: str
    home_town: str = Field("Oxford", serialization_alias="written")


class Aliased(Session):
    customer_number: int = Field(alias="customerNumber")
    read_as: int = Field(validation_alias="readAs")
    both: int = Field(validation_alias="bothRead", serialization_alias="bothWritten")
    one_of: int = Field(validation_alias=AliasChoices("first", "second"))
    first_of: int = Field(validation_alias=AliasPath("list", 1))
    last_of: int = Field(validation_alias=AliasPath("deep", "list", -1))
    of_user: int = Field(validation_alias=AliasPath("user", "rank"))
    this: str = Field("that", alias="that")
    that: str = Field("this", alias="this")
    friend: Camel
    friends: tuple[Camel, ...]
    by_name: dict[str, Camel]
    written: Json[list[int]]

    @computed_field
    def double(self) -> int:
        return 2 * self.customer_number


FRIEND = {"firstName": "Bob", "homeTown": "York", "more": {"first_name": 1}}
SENT = {
    "expires": EXPIRES,
    "user": {"name": "Alice", "rank": 3},
    "customerNumber": 7,
    "readAs": 1,
    "bothRead": 2,
    "second": 4,
    "this": "x",
    "that": "y",
    "list": [8, 9],
    "deep": {"list": [6]},
    "written": "[1, 2]",
    "friend": FRIEND,
    "friends": [FRIEND, FRIEND],
    "byName": {},
    "by_name": {"bob": FRIEND},
}


def test_a_session_type_with_aliases_comes_out_as_it_went_in() -> None:
    session = Aliased.model_validate(SENT)
    assert Aliased.model_validate(read(session_script(session))) == session


def test_the_page_reads_the_names_that_the_server_wrote() -> None:
    written = read(session_script(Aliased.model_validate(SENT)))
    for name in ("customerNumber", "readAs", "bothRead", "this", "that", "friend", "friends", "by_name"):
        assert written[name] == SENT[name]
    assert (written["first"], written["user"]["rank"], "double" in written) == (4, 3, False)


Loud = Annotated[str, AfterValidator(str.upper)]


class OfOthers(Session):
    first: Loud = Field(validation_alias=AliasPath("names", 0))
    last: str = Field(validation_alias=AliasPath("names", -1))
    one_before: str = Field(validation_alias=AliasPath("names", -2))
    caption: Loud = Field(validation_alias=AliasPath("user", "name"))
    loudest: Loud = Field(validation_alias=AliasPath("rows", 0))
    tenth: str = Field("none", validation_alias=AliasPath("rows", 9))
    rows: list[str]


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d", "e"], ["a", "a"]])
def test_fields_that_are_read_from_one_place_come_out_as_they_went_in(names: list[str]) -> None:
    sent = {"expires": EXPIRES, "user": {"name": "Alice"}, "names": names, "rows": ["x", "y"]}
    session = OfOthers.model_validate(sent)
    assert OfOthers.model_validate(read(session_script(session))) == session


CONFIGS = [ConfigDict(populate_by_name=True), ConfigDict(extra="forbid"), ConfigDict(extra="ignore")]


@pytest.mark.parametrize("config", CONFIGS)
def test_so_does_one_with_an_alias_generator(config: ConfigDict) -> None:
    class Configured(Session):
        model_config = config

    class Generated(Configured):
        model_config = ConfigDict(alias_generator=to_camel)

        customer_number: int
        home_town: Camel

        @computed_field
        def double(self) -> int:
            return 2 * self.customer_number

    session = Generated.model_validate({"customerNumber": 7, "homeTown": FRIEND, "expires": EXPIRES})
    written = read(session_script(session))
    assert Generated.model_validate(written) == session
    assert (written["customerNumber"], written["homeTown"]) == (7, FRIEND)


def test_so_does_one_that_is_read_by_its_own_names() -> None:
    class ByName(Session):
        model_config = ConfigDict(validate_by_name=True, validate_by_alias=False)

        customer_number: int = Field(alias="customerNumber")

    session = ByName.model_validate({"customer_number": 7, "expires": EXPIRES})
    assert ByName.model_validate(read(session_script(session))) == session


def test_any_mapping_may_be_a_session() -> None:
    inner = MappingProxyType({"name": "Alice"})
    assert read(session_script(MappingProxyType({"user": inner}))) == {"user": {"name": "Alice"}}


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"in": [value]}
    return value


def looped() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


NO_JSON = [
    {"ratio": float("nan")},
    {"ratio": float("inf")},
    {"ratio": [-float("inf")]},
    {"count": 10**5_000},
    nested(100_000),
    looped(),
]


@pytest.mark.parametrize("session", NO_JSON, ids=range(len(NO_JSON)))
def test_a_session_that_is_no_json_is_left_out_and_logged(
    session: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert session_script(session) == ""
    assert "The session is not in the page" in caplog.text


@pytest.mark.parametrize("field", [nested(100_000), looped(), 10**5_000], ids=range(3))
def test_a_model_that_json_cannot_carry_is_left_out(field: Any) -> None:
    assert session_script(Session.model_validate({"expires": EXPIRES, "field": field})) == ""


def test_numbers_of_any_proper_size_come_out_as_they_went_in() -> None:
    session = {"count": 10**400, "ratio": 1e308, "less": -0.1}
    assert read(session_script(session)) == session


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_values_that_json_does_not_have_are_a_developers_error(value: Any) -> None:
    with pytest.raises(TypeError, match="a session in a page has JSON only"):
        session_script({"user": value})
