"""The session in a page: nothing in it can end its element, and what comes out is what went in."""

from __future__ import annotations

import html.parser
import json
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextauth_py import Session
from nextauth_py.server import session_script

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


def test_nobody_is_null() -> None:
    assert session_script(None) == '<script type="application/json" id="nextauth-session">null</script>'


def test_what_has_a_meaning_in_html_is_escaped() -> None:
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


def test_what_is_no_session_is_refused() -> None:
    with pytest.raises(TypeError, match="session_script takes a Session"):
        session_script("alice")  # type: ignore[arg-type]
