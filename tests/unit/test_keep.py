"""The cookies of the auth server on responses of each kind."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.http import FileResponse as DjangoFile
from django.http import HttpResponse, StreamingHttpResponse
from flask import Response as FlaskResponse
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse

from nextauth_py.server.cookies import Jar
from nextauth_py.server.headers import keep_cookies

LINE = "a=1; Path=/; HttpOnly; Partitioned; Priority=High"

if not settings.configured:  # as tests/servers does, in the same process
    settings.configure(
        ROOT_URLCONF="tests.servers.test_frameworks", ALLOWED_HOSTS=["*"], SECRET_KEY="test", USE_TZ=True
    )

RESPONSES: list[Callable[[], Any]] = [
    lambda: PlainTextResponse("a"),
    lambda: StreamingResponse(iter("a")),
    lambda: FileResponse(__file__),
    lambda: FlaskResponse("a"),
    lambda: FlaskResponse(iter("a")),
    lambda: HttpResponse("a"),
    lambda: StreamingHttpResponse(iter("a")),
    lambda: DjangoFile(iter("a")),
]


def lines_of(response: Any) -> list[str]:
    if hasattr(response, "cookies"):
        return [morsel.output(header="").strip() for morsel in response.cookies.values()]
    return list(response.headers.getlist("set-cookie"))


@pytest.fixture(params=RESPONSES, ids=range(len(RESPONSES)))
def response(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def jar() -> Jar:
    jar = Jar(b"")
    jar.take([LINE])
    return jar


def test_any_response_carries_the_cookies_and_is_private(response: Any, jar: Jar) -> None:
    assert keep_cookies(response, jar) is response
    assert lines_of(response) == [LINE]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"] == "Cookie"


def test_kept_cookies_are_set_once(response: Any, jar: Jar) -> None:
    keep_cookies(response, jar)
    keep_cookies(response, jar)
    assert lines_of(response) == [LINE]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"] == "Cookie"


def test_a_later_cookie_of_the_server_counts(response: Any, jar: Jar) -> None:
    keep_cookies(response, jar)
    jar.take(["a=2; Path=/", "b=1"])
    keep_cookies(response, jar)
    assert lines_of(response)[-2:] == ["a=2; Path=/", "b=1"]


def test_a_cookie_of_the_responses_own_stays(response: Any, jar: Jar) -> None:
    response.set_cookie("a", "own", path="/")
    keep_cookies(response, jar)
    assert lines_of(response)[0].startswith("a=own")
    assert len(lines_of(response)) == 1


def test_a_cookie_of_the_response_for_another_path_takes_no_place() -> None:
    jar = Jar(b"")
    jar.take([LINE])
    response = PlainTextResponse("a")
    response.set_cookie("a", "own", path="/x")
    assert lines_of(keep_cookies(response, jar))[1:] == [LINE]


def test_headers_that_come_in_several_lines_are_judged_together() -> None:
    responses: list[Any] = [PlainTextResponse("a"), FlaskResponse("a")]
    for response in responses:
        add = getattr(response.headers, "append", None) or response.headers.add
        for name, value in [
            ("Cache-Control", "max-age=60"),
            ("cache-control", "public"),
            ("Vary", "Accept"),
            ("vary", "Accept-Encoding"),
        ]:
            add(name, value)
        keep_cookies(response, Jar(b""))
        assert response.headers.getlist("cache-control") == ["private, max-age=60"]
        assert response.headers.getlist("vary") == ["Accept, Accept-Encoding, Cookie"]


# --- Django: its cookies are objects, which middleware changes ---


def test_django_writes_a_cookie_that_was_changed_as_changed(jar: Jar) -> None:
    response = keep_cookies(HttpResponse("a"), jar)
    response.cookies["a"]["samesite"] = "None"
    (line,) = lines_of(response)
    assert line.startswith("a=1; ")
    assert "SameSite=None" in line
    assert "HttpOnly" in line


def test_django_writes_a_cookie_that_was_set_again(jar: Jar) -> None:
    response = keep_cookies(HttpResponse("a"), jar)
    response.delete_cookie("a")
    (line,) = lines_of(response)
    assert line.startswith('a="";')
    assert "Max-Age=0" in line


def test_a_response_of_django_can_be_pickled(jar: Jar) -> None:
    response = pickle.loads(pickle.dumps(keep_cookies(HttpResponse("a"), jar)))
    assert lines_of(response)[0].startswith("a=1; ")


def test_django_hands_back_cookies_of_one_name_for_two_paths() -> None:
    jar = Jar(b"")
    jar.take(["a=1; Path=/x", "a=2; Path=/y"])
    response = keep_cookies(HttpResponse("a"), jar)
    assert lines_of(response) == ["a=1; Path=/x", "a=2; Path=/y"]
    assert response.cookies["a"].value == "1"


def test_a_cookie_that_django_cannot_send_is_left_out() -> None:
    jar = Jar(b"")
    jar.take(["a=\xff", "path=1", "odd[name]=1", "b=1"])
    assert lines_of(keep_cookies(HttpResponse("a"), jar)) == ["b=1"]
