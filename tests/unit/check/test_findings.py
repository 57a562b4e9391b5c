"""What is printed."""

from __future__ import annotations

from nextauth_py.check.answers import Answer
from nextauth_py.check.cookies import parse_set_cookie
from nextauth_py.check.findings import error, listed, ok

from .examples import SITE, TOKEN, answer, csrf_cookie


def test_a_finding_is_one_line_with_what_to_write() -> None:
    assert str(ok("page", "fine")) == "ok       page: fine"
    assert str(error("csrf", "no token", "add one")) == "error    csrf: no token. Fix: add one"


def test_a_server_cannot_steer_the_terminal() -> None:
    assert str(ok("page", "a\x1b[31m\nerror b\u202e")) == "ok       page: a?[31m?error b?"


def test_a_long_list_is_counted() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_no_repr_has_a_secret() -> None:
    found = answer("/api/auth/csrf", {"csrfToken": TOKEN}, csrf_cookie())
    assert TOKEN not in repr(found) + repr(parse_set_cookie(csrf_cookie()[1]))
    assert repr(Answer(f"{SITE}/x", failure="no answer")).endswith("failure='no answer')")
