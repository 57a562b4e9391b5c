"""What attributes take from a session: cases for templates, bindings, pages by attributes, early painting."""

from __future__ import annotations

from typing import Literal, NamedTuple

Outcome = Literal["kept", "dropped", "refused"]


class Case(NamedTuple):
    """A value that a session has for an attribute.

    Attributes:
        tag: The element.
        name: The attribute.
        value: The text from the session.
        outcome: The attribute has the value, is not there, or cannot take any value: that is a ValueError.
    """

    tag: str
    name: str
    value: str
    outcome: Outcome


SCRIPT = "javascript:hacked=1"
PAGE = "data:text/html,<script>hacked=1</script>"
PICTURE = "data:image/png;base64,AAAA"
DRAWING = "DATA:image/svg+xml,<svg onload='hacked=1'/>"

_RUNS = [
    *(
        SCRIPT,
        "JavaScript:hacked=1",
        " javascript:hacked=1",
        "\tjavascript:hacked=1",
        "\x01javascript:hacked=1",
    ),
    *(
        "java\nscript:hacked=1",
        "java\tscript:hacked=1",
        "javascript\r:hacked=1",
        "javascript://x/%0ahacked=1",
    ),
    *("vbscript:x", "file:///etc/passwd", "blob:https://localhost/1", "view-source:https://localhost", PAGE),
    *(
        "\\\\evil.example",
        "/\\evil.example",
        "\u2028javascript:hacked=1",
        "\ufeffjavascript:hacked=1",
        "/a\u202eb",
    ),
    *(
        "mailto:a@b.example",
        "https:evil.example",
        "filesystem:https://localhost/1",
        "jar:https://localhost!/",
    ),
]
_LEADS = [
    *("/a", "a/b", "?a", "#a", "", "https://localhost/a", "HTTP://localhost", "//localhost", "a b:c/../d"),
    *("/a ", " /a", "/a?b=\\", "/a?b=c\u2028", "/search?q=javascript:x", "#javascript:x", "./javascript:x"),
]
_LINKS = [
    *(("a", "href"), ("area", "href"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("embed", "src")),
    *(("video", "poster"), ("form", "action"), ("button", "formaction"), ("input", "formaction")),
    *(("blockquote", "cite"), ("object", "data"), ("body-part", "background"), ("a", "ping"), ("p", "HREF")),
    *(("img", "longdesc"), ("object", "codebase"), ("p", "xlink:href"), ("p", "xml:base"), ("source", "src")),
]

CASES = [
    # Links and the like.
    *(Case(*link, SCRIPT, "dropped") for link in _LINKS),
    *(Case(*link, "https://localhost/a", "kept") for link in _LINKS),
    *(Case("a", "href", url, "dropped") for url in _RUNS),
    *(Case("img", "src", url, "dropped") for url in _RUNS),
    *(Case("a", "href", url, "kept") for url in _LEADS),
    *(Case("img", "src", url, "kept") for url in _LEADS),
    # Contents in the URL itself.
    *(Case("img", "src", url, "kept") for url in (PICTURE, DRAWING)),
    *(Case("video", "poster", url, "kept") for url in (PICTURE, DRAWING)),
    *(Case("source", "src", url, "kept") for url in (PICTURE, "data:audio/wav;base64,AA", "data:video/mp4,")),
    *(Case(tag, "src", PAGE, "dropped") for tag in ("img", "source", "iframe", "embed", "video")),
    *(Case(tag, "src", DRAWING, "dropped") for tag in ("iframe", "embed", "input", "video", "audio", "p")),
    *(Case("object", "data", url, "dropped") for url in (PICTURE, DRAWING)),
    *(Case("a", "href", url, "dropped") for url in (PICTURE, DRAWING)),
    Case("img", "src", "data:audio/wav;base64,AA", "dropped"),
    # What SVG's animations set.
    *(Case("p", name, SCRIPT, "dropped") for name in ("values", "to", "from", "by")),
    *(Case("p", "values", f"{lead};{SCRIPT}", "dropped") for lead in ("#a", "/a ", "")),
    *(Case("p", name, "0 0;10 10", "kept") for name in ("values", "to", "from", "by")),
    Case("p", "values", "/a;https://localhost", "kept"),
    # Refreshes.
    *(
        Case("meta", "content", f"{wait}{SCRIPT}", "dropped")
        for wait in ("0;url=", "0; URL = '", "1.5,", " 0 ")
    ),
    *(Case("meta", "content", text, "kept") for text in ("0;url=/a", "30", "A page: javascript", "width=1")),
    # What browsers run or parse, whatever it says.
    *(
        Case("p", name, "x", "refused")
        for name in ("onclick", "OnError", "onfuture", "style", "srcdoc", "is")
    ),
    *(Case("img", name, "/a.png 2x", "refused") for name in ("srcset", "imagesrcset", "Style")),
    *(Case("script", name, "/a.js", "refused") for name in ("src", "href", "type", "nonce")),
    Case("base", "href", "/a", "refused"),
    # All else is text.
    *(
        Case("p", name, SCRIPT, "kept")
        for name in ("title", "alt", "aria-label", "data-src", "class", "lang")
    ),
    *(Case("p", name, "x", "kept") for name in ("island", "styles", "hreflang", "srclang", "contents")),
    Case("a", "title", '"><img src=x onerror=hacked=1>', "kept"),
]
