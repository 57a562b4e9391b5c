"""JSON that anyone may have written: what is read is what the standard library reads, within limits."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextauth_py import ClientFetchError, Session, SessionValidationError
from nextauth_py.core.bounded_json import DEEPEST, LONGEST, loads
from nextauth_py.core.wire import Request, Response, read_session
from nextauth_py.models import read_model
from nextauth_py.tabs.messages import Message, parse_message

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('[]{}"\\')),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.sampled_from('[]{}"\\a')), inner),
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans())
def test_it_reads_the_same_json_as_the_standard_library(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert loads(text) == json.loads(text)


@given(VALUES)
def test_a_text_is_read_exactly_if_it_is_not_deeper_than_allowed(value: Any) -> None:
    value = [value] * 3  # many brackets
    text, levels = json.dumps(value), depth(value)
    assert loads(text, deepest=levels) == value
    with pytest.raises(ValueError, match="deep"):
        loads(text, deepest=levels - 1)


@given(st.text(st.sampled_from('[]{}",:\\1ud8cef \ud83d\ude00é')))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = loads(text, deepest=3)
    except ValueError:
        return
    assert depth(value) <= 3
    json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize("count", [65, 10_000, 1_000_000 // 2])
@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '["]]]]]]]]",'])
def test_deep_texts_are_refused_before_they_are_parsed(count: int, opening: str) -> None:
    with pytest.raises(ValueError, match="too deep"):
        loads((opening * count)[:LONGEST])


def test_the_limits_are_exact() -> None:
    assert loads("[" * DEEPEST + "]" * DEEPEST)
    assert loads('"' + "x" * (LONGEST - 2) + '"')
    for text in ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), '"' + "x" * (LONGEST - 1) + '"'):
        with pytest.raises(ValueError, match="too"):
            loads(text)


def test_many_brackets_side_by_side_or_in_strings_are_not_deep() -> None:
    assert len(loads("[" + "[],{}," * 10_000 + "0]")) == 20_001
    assert loads(json.dumps('[{"\\' * 1000)) == '[{"\\' * 1000


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "[NaN]", "", " ", "{", "\ufeff{}", "'a'", "9" * 5000, '"a', "[1,]"],
    ids=lambda text: text[:10],
)
def test_invalid_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"A\ud83d"', "A\ufffd"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'"\uD83D\uDE00"', "\U0001f600"),
        (r'"\\ud83d"', r"\ud83d"),
        (r'"\\\ud83d"', "\\\ufffd"),
        ('"\ud83d"', "\ufffd"),
        (r'{"\udc00": 1}', {"\ufffd": 1}),
    ],
)
def test_half_an_emoji_becomes_a_replacement_character(text: str, value: object) -> None:
    assert loads(text) == value


def test_a_number_that_no_float_can_hold_becomes_the_largest() -> None:
    assert loads("[1e999, -1e999]") == [sys.float_info.max, -sys.float_info.max]
    assert math.isinf(json.loads("1e999"))


def test_of_a_repeated_key_the_last_value_counts_as_in_javascript() -> None:
    assert loads('{"a": 1, "a": 2, "__proto__": {"a": 3}}') == {"a": 2, "__proto__": {"a": 3}}


@pytest.mark.parametrize("scalar", ["1", '"x"', "true", "[]", "1e999", "[" * 1000, "NaN"])
def test_an_answer_that_is_no_session_changes_no_session(scalar: str) -> None:
    response = Response(200, scalar, {"content-type": "application/json"})
    with pytest.raises(ClientFetchError):
        read_session(Request("GET", "/api/auth/session"), response)


@pytest.mark.parametrize("fault", [RecursionError, MemoryError])
def test_a_validator_that_goes_too_deep_is_a_session_that_does_not_fit(fault: type[Exception]) -> None:
    class Odd(Session):
        @classmethod
        def model_validate(cls, *_args: Any, **_options: Any) -> Any:
            raise fault

    with pytest.raises(SessionValidationError, match=fault.__name__):
        read_model(Odd, {})


@pytest.mark.parametrize(
    "filler",
    ["1e15,", "-1e15,", "1e999,", '"\u4e2d",', '"\U0001f600",', r'"\ud83d",', '"\x7f",', r'"\u0000",', "[],"],
)
def test_every_session_can_be_posted_to_other_tabs(filler: str) -> None:
    count = (LONGEST - 10) // len(filler)
    session = loads('{"x":[' + filler * count + "0]}")
    text = Message("state", "a", (1, "a"), session=session).to_json("/api/auth")
    message = parse_message(text, "/api/auth", now=1.0)
    assert message
    assert message.session == session


def test_the_deepest_session_can_be_posted_to_other_tabs() -> None:
    session = loads('{"x":' + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1) + "}")
    text = Message("state", "a", (1, "a"), session=session).to_json("/api/auth")
    message = parse_message(text, "/api/auth", now=1.0)
    assert message
    assert message.session == session


def test_json_that_is_too_deep_for_python_itself_is_refused() -> None:
    text = "[" * 200_000 + "]" * 200_000
    with pytest.raises(ValueError, match="too deep for this place"):
        loads(text, deepest=len(text))
