"""What attributes take from a session, in each of the ways that Python has; `attribute_cases` is the list."""

from __future__ import annotations

from typing import Any

import pytest

from nextauth_py import SessionProvider
from nextauth_py.content.attribute_rules import attribute_value, checked_attribute
from nextauth_py.content.templates import places
from nextauth_py.testing.document import Element
from nextauth_py.testing.memory import MemoryHost
from nextauth_py.ui.bind import bind
from tests.attribute_cases import CASES, Case

from .fake_server import EXPIRES
from .templates import Template, admitted, element

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.tag}-{case.name}-{case.value!r}")


def expected(case: Case) -> str | None:
    return case.value if case.outcome == "kept" else None


@cases
def test_an_attribute(case: Case) -> None:
    if case.outcome == "refused":
        with pytest.raises(ValueError, match="cannot be bound: a browser would run or parse"):
            checked_attribute(case.name, case.tag)
    else:
        name = checked_attribute(case.name, case.tag)
        assert attribute_value(name, case.value, case.tag) == expected(case)


@cases
async def test_a_binding(case: Case, tab: MemoryHost) -> None:
    session = {"user": {"name": "Alice", "value": case.value}, "expires": EXPIRES}
    provider = SessionProvider(session, host=tab).start()
    bound = element(f"<{case.tag} {case.name}=before></{case.tag}>")
    if case.outcome == "refused":
        with pytest.raises(ValueError, match="cannot be bound"):
            bind(provider, bound, attr={case.name: "user.value"})
    else:
        bind(provider, bound, attr={case.name: lambda session: session.user.value})
        assert bound.getAttribute(case.name.lower()) == expected(case)


@cases
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_a_template(case: Case, quote: str) -> None:
    template = Template(f"<{case.tag} data-x='x=' {case.name}={quote}", case.value, f"{quote}></{case.tag}>")
    if case.outcome == "refused":
        with pytest.raises(ValueError, match="would be run or parsed"):
            places(template.strings)
    else:
        assert admitted(template) == [expected(case)]


@cases
def test_a_value_in_parts(case: Case) -> None:
    """Whatever parts a template makes of a value, all of it is looked at."""
    if case.outcome == "refused":
        return
    for at in range(len(case.value) + 1):
        parts: tuple[Any, ...] = case.value[:at], case.value[at:]
        template = Template(f'<{case.tag} {case.name}="', parts[0], "", parts[1], f'"></{case.tag}>')
        assert admitted(template) == (list(parts) if case.outcome == "kept" else [None, None])


def test_a_flag_is_there_or_not() -> None:
    assert attribute_value("disabled", True) == ""
    assert attribute_value("disabled", False) is None
    assert attribute_value("title", None) is None
    assert attribute_value("title", 3) == "3"


@pytest.mark.parametrize("name", ["a b", "", 'x"', "1x", "é"])
def test_invalid_cookie_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be bound"):
        checked_attribute(name)


def test_an_element_tells_what_it_is() -> None:
    assert isinstance(element("<IMG>"), Element)
    assert element("<IMG>").localName == "img"
