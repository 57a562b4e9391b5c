"""Which values an attribute may take: one table for templates, bindings and ``data-session-attr``.

`static/session-paint.js` has the same table in JavaScript; one list of cases tests both.
"""

from __future__ import annotations

import re

from ..core.urls import is_safe_link

_NAME = re.compile(r"[a-z][a-z0-9_:.\-]*")

# Browsers run the value, or parse it as HTML or CSS, whatever it is. `.innerHTML` is a property of templates.
_CODE = re.compile(r"on.*|style|srcdoc|(image)?srcset|is|(inner|outer)html")
# In these elements, any URL decides which scripts run.
_CODE_TAGS = {"script", "base"}

# In these, the text between the tags too is run, or parsed as CSS.
_TEXT_IS_CODE = {"script", "style"}

# Browsers follow the value. Without their prefix, `xlink:href` and `xml:base` are in the list too.
_URLS = {
    *("action", "archive", "background", "base", "cite", "classid", "codebase", "data", "dynsrc"),
    *("formaction", "href", "longdesc", "lowsrc", "manifest", "ping", "poster", "src"),
}
# What SVG's animations set other attributes to, href among them.
_ANIMATED = {"by", "from", "to", "values"}
# Of <meta http-equiv="refresh">: seconds, then a URL.
_REFRESH = re.compile(r"\s*[\d.]+[\s;,]+(?:url\s*=\s*)?[\"']?(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)


def checked_attribute(name: str, tag: str = "") -> str:
    """Return the name, in lower case, of an attribute that may take a value from a session.

    Args:
        name: The attribute.
        tag: The element, in lower case.

    Raises:
        ValueError: It is not a name, or a browser would run or parse the value.
    """
    lower = name.lower()
    if not _NAME.fullmatch(lower) or is_code(lower, tag):
        raise ValueError(f"the attribute {name!r} cannot be bound: a browser would run or parse its value")
    return lower


def check_shows_text(tag: str) -> None:
    """Check that text in an element is text.

    Raises:
        ValueError: A browser would run it, or parse it as CSS.
    """
    if tag.lower() in _TEXT_IS_CODE:
        raise ValueError(f"a <{tag}> shows nothing: a browser would run or parse what is written into it")


def attribute_value(name: str, value: object, tag: str = "") -> str | None:
    """Return a value as an attribute takes it; None to have no such attribute."""
    if value is None or value is False:
        return None
    text = "" if value is True else str(value)
    return text if is_safe_value(name, text, tag) else None


def is_code(name: str, tag: str = "") -> bool:
    """Whether a browser would run or parse the value, whatever it is. The name is in lower case."""
    return tag in _CODE_TAGS or bool(_CODE.fullmatch(_local(name)))


def is_followed(name: str) -> bool:
    """Whether a browser acts on the attribute's value, as it follows ``href``."""
    local = _local(name)
    return local in _URLS or local in _ANIMATED or local == "content"


def is_safe_value(name: str, text: str, tag: str = "") -> bool:
    """Whether an attribute's whole value runs no script and leads only to a page.

    Args:
        name: The attribute, in lower case.
        text: Its whole value.
        tag: The element, in lower case; images may have their contents in their URL.
    """
    local = _local(name)
    if local in _URLS:
        return is_safe_link(text, data=_data(local, tag))
    if local in _ANIMATED:
        return all(is_safe_link(each) for each in text.split(";"))
    target = _REFRESH.match(text) if local == "content" else None
    return target is None or is_safe_link(target[1])


def _data(name: str, tag: str) -> tuple[str, ...]:
    """Return the kinds of ``data:`` URLs that show content without running scripts."""
    if name == "src" and tag == "source":
        return "image", "audio", "video"
    return ("image",) if name == "poster" or (name, tag) == ("src", "img") else ()


def _local(name: str) -> str:
    return name.rpartition(":")[2]
