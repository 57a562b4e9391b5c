"""Parse templates: where values stand in them, and which values may stand there. Touches no JavaScript.

The strings of a template are read by a grammar stricter than HTML's. What browsers and lit-html could read in
different ways is refused, so all of them agree on where a value goes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .attribute_rules import is_code, is_followed, is_safe_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

# Stands for a value while the strings are read. HTML knows no NUL.
_MARK = "\0"

_NAME = r"""[^\s<>/"'=]+"""
# Quoted, or not: then a slash right behind a value that ends the tag is not part of it: `<img src={url}/>`.
_VALUE = r""""[^"]*"|'[^']*'|(?!=)(?:[^\s<>"'`/]|/(?!>)|(?<!\0)/)+"""
_ATTRIBUTE = re.compile(rf"({_NAME})(?:\s*=\s*({_VALUE}))?", re.ASCII)
_TOKEN = re.compile(
    rf"""(?P<text>[^<]+|<(?![a-zA-Z/!?\0]))
    |<!--(?!-?>)(?P<comment>(?:(?!--!?>).)*)-->
    |</[a-zA-Z][^\s<>/"'=\0]*\s*>
    |<(?P<tag>[a-zA-Z\0][^\s<>/"'=]*)(?P<attributes>(?:\s+{_NAME}(?:\s*=\s*(?:{_VALUE}))?)*)\s*/?>""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)

# What is in these is text for a browser, whatever it looks like. Only the first two show it.
_TEXT_TAGS = {"textarea", "title"}
_RAW_TAGS = {*_TEXT_TAGS, "iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "xmp"}

# Those that lit-html takes for such.
_LIT_RAW_TAGS = {*_TEXT_TAGS, "script", "style"}

# A template may spell the scheme of a link itself, `mailto:` for instance, but none whose links are run.
_OWN_SCHEME = re.compile(r"\s*(?!javascript|vbscript|data|blob|file)[a-z][a-z0-9+.\-]*:", re.IGNORECASE)

_SHOWN = 60  # characters of a template in an error


@dataclass(frozen=True)
class Attribute:
    """An attribute that has values of a template in it.

    Attributes:
        tag: The element, in lower case.
        kind: ``.`` for a property, ``?`` for a boolean, ``@`` for an event, else empty.
        name: Without that, in lower case.
        strings: The template's own text before, between and after the values, as a browser reads it.
        start: The position of the first value in the template.
    """

    tag: str
    kind: str
    name: str
    strings: tuple[str, ...]
    start: int

    @property
    def takes_anything(self) -> bool:
        """Whether `admit` changes nothing."""
        return self.kind == "@" or (not self.kind and self._is_whole and not is_followed(self.name))

    def admit(self, values: Sequence[object]) -> Sequence[object]:
        """Return the checked values; None to remove the attribute."""
        if self.kind == "?":
            return [bool(value) for value in values]
        if self._is_whole and (values[0] is None or self._is_for_element(values[0])):
            return [""] if values[0] is None and self._is_text else values
        if not is_followed(self.name):
            return ["" if value is None else value for value in values]
        texts = [_listed([value]) if self.kind == "." else _text(value) for value in values]
        if self._spells_scheme or is_safe_value(self.name, self._joined(texts), self.tag):
            return texts
        return ["" if self.kind == "." else None for _ in texts]

    def _joined(self, texts: Sequence[str]) -> str:
        return self.strings[0] + "".join(map(str.__add__, texts, self.strings[1:]))

    @property
    def _is_whole(self) -> bool:
        return self.strings == ("", "")

    @property
    def _spells_scheme(self) -> bool:
        return self.name == "href" and _OWN_SCHEME.match(self.strings[0]) is not None

    @property
    def _is_text(self) -> bool:
        """Whether it is a property that would make a text of JavaScript's undefined."""
        return self.kind == "." and "-" not in self.tag and self.name != "srcobject"

    def _is_for_element(self, value: object) -> bool:
        """Whether it is an object for a custom element, whose properties are its own.

        JavaScript makes a text of a list by itself, so that text is checked too.
        """
        if self.kind != "." or "-" not in self.tag or isinstance(value, str):
            return False
        return not isinstance(value, (list, tuple)) or is_safe_value(self.name, _listed(value), self.tag)


COMMENT = Attribute("", "@", "", ("", ""), 0)
"""A place whose values are not shown."""


class Places(NamedTuple):
    """Where the values of a template stand.

    Attributes:
        all: For each value its attribute, `COMMENT`, or None for text.
        checked: The attributes that do not take anything.
    """

    all: tuple[Attribute | None, ...]
    checked: tuple[Attribute, ...]


def placed(template: Any) -> Iterable[tuple[object, Attribute | None]]:
    """Return the values of a template, checked, each with its attribute; None for text.

    Raises:
        ValueError: A value stands where a browser would run or parse it, or in a name.
    """
    found = places(template.strings)
    values = [
        _value_of(part) if part.conversion or part.format_spec else part.value
        for part in template.interpolations
    ]
    for place in found.checked:
        span = slice(place.start, place.start + len(place.strings) - 1)
        values[span] = place.admit(values[span])
    return zip(values, found.all, strict=True)


def _value_of(part: Any) -> object:
    """The value of an interpolation, converted and formatted as the t-string says."""
    value = _CONVERSIONS[part.conversion](part.value)
    return format(value, part.format_spec) if part.format_spec else value


_CONVERSIONS: dict[str | None, Any] = {None: lambda value: value, "s": str, "r": repr, "a": ascii}


def _listed(values: Sequence[object]) -> str:
    """Format a list as JavaScript does."""
    return ",".join(_listed(each) if isinstance(each, (list, tuple)) else _text(each) for each in values)


def _text(value: object) -> str:
    """Format a value as JavaScript does."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return str(value)


@cache
def places(strings: tuple[str, ...]) -> Places:
    """Return where the values of a template stand.

    Args:
        strings: The template's own text around its values.

    Raises:
        ValueError: A value stands where a browser would run or parse it, or in a name; or browsers could read
            the text in different ways.
    """
    found = _Reader(strings).read()
    attributes = {place: None for place in found if place not in {None, COMMENT}}
    return Places(tuple(found), tuple(each for each in attributes if each and not each.takes_anything))


_NUMBERED = re.compile(r"\v(\d+)\v")
_TEXT_NUMBERED = re.compile(r"<!--t\v\d+\v-->")


def numbered(strings: tuple[str, ...]) -> str:
    """The HTML of a template with a number for each value, for a browser to parse as it parses lit-html's.

    Between tags the number is a comment, which is where lit-html has one. See `check_parsed`.
    """
    html = strings[0]
    for number, (place, text) in enumerate(zip(places(strings).all, strings[1:], strict=True)):
        mark = f"\v{number}\v"
        gap = " " if text.startswith("/>") else ""  # so that the slash is not part of an unquoted value
        html += (f"<!--t{mark}-->" if place is None else mark + gap) + text
    return html


def check_parsed(strings: tuple[str, ...], parsed: Iterable[tuple[str, str, str]]) -> None:
    """Check that the elements that a browser makes have a template's values where its strings have them.

    Browsers move, copy and drop elements that are not properly nested. lit-html counts what comes of that,
    so each value behind would get into the place of another one, which it has not been checked for.

    Args:
        strings: The template's own text around its values.
        parsed: What the browser has made of `numbered`, in the order of the document: for each attribute
            the element's name, its own and its value, for each text and comment ``#text`` or ``#comment``,
            nothing and what it says.

    Raises:
        ValueError: They are elsewhere.
    """
    found = [
        (int(number), _shown_place(tag, name, text))
        for tag, name, text in parsed
        for number in _NUMBERED.findall(text)
    ]
    expected = [
        "#text" if place is None else f"{place.tag} {place.kind}{place.name}" for place in places(strings).all
    ]
    if found != list(enumerate(expected)):
        shown = "{…}".join(strings).strip()[:_SHOWN]
        raise ValueError(
            f"the template {shown!r} has elements that browsers put elsewhere, and values with them: is an "
            "end tag missing, or an element where HTML allows none?"
        )


def _shown_place(tag: str, name: str, text: str) -> str:
    """Where lit-html sees the values of a part of the document. Between tags it has comments too."""
    comment = f"<!--{text}-->"
    if _TEXT_NUMBERED.fullmatch(comment) or (tag == "#text" and _TEXT_NUMBERED.search(text)):
        return "#text"
    if tag == "#comment" and not comment.startswith("<!--?\v"):  # which it takes for its own
        tag, name = COMMENT.tag, f"{COMMENT.kind}{COMMENT.name}"
    return f"{tag} {name}".lower()


class _Reader:
    """Reads the strings of a template."""

    def __init__(self, strings: tuple[str, ...]) -> None:
        self._html = _MARK.join(strings)
        self._at = 0
        self._found: list[Attribute | None] = []
        if any(_MARK in each or "\v" in each for each in strings):
            self._refuse("a control character")

    def read(self) -> list[Attribute | None]:
        """Return a place for each value."""
        while self._at < len(self._html):
            token = _TOKEN.match(self._html, self._at)
            if token is None:
                self._refuse("no HTML that all browsers read in the same way")
            self._found += [None] * (token["text"] or "").count(_MARK)
            self._found += [COMMENT] * (token["comment"] or "").count(_MARK)
            if token["tag"]:
                self._read_tag(token["tag"], token["attributes"])
            self._at = token.end()
            if token["tag"] and token["tag"].lower() in _RAW_TAGS:
                self._read_raw(token["tag"], token[0])
        return self._found

    def _read_tag(self, tag: str, attributes: str) -> None:
        if _MARK in tag:
            self._refuse("a value in the name of a tag")
        found = _ATTRIBUTE.findall(attributes)
        names = [name.lower() for name, _ in found]
        for name, value in found:
            if _MARK in name:
                self._refuse("a value in the name of an attribute, or in its place")
            strings = (value[1:-1] if value[:1] in {'"', "'"} else value).split(_MARK)
            if len(strings) == 1:
                continue
            if names.count(name.lower()) > 1:  # browsers drop the second: lit-html then mixes up the others
                self._refuse(f"two attributes {name!r}")
            self._found += [self._attribute(tag.lower(), name, strings)] * (len(strings) - 1)

    def _attribute(self, tag: str, written: str, strings: list[str]) -> Attribute:
        kind = written[0] if written[0] in ".?@" else ""
        name = written.removeprefix(kind).lower()
        if kind not in {"?", "@"} and (is_code(name, tag) or (kind == "." and tag == "style")):
            self._refuse(
                f"a value that would be run or parsed, in {written}=…: write @click= for events, class= for "
                "styles, and put text between the tags"
            )
        return Attribute(tag, kind, name, tuple(_decoded(each) for each in strings), len(self._found))

    def _read_raw(self, tag: str, start: str) -> None:
        """Read up to the end tag, which alone ends such an element."""
        if start == f"<{tag}/>":  # lit-html takes the slash for a part of the name
            self._refuse(f"<{tag}/> without a space before the slash")
        end = re.compile(f"</{tag}", re.IGNORECASE).search(self._html, self._at)
        content = self._html[self._at : end.start() if end else None]
        if _MARK in content and tag.lower() not in _TEXT_TAGS:
            self._refuse(f"a value inside <{tag}>, which would be run or parsed")
        if end is None or end[0] != f"</{tag}":  # lit-html looks for it as it was written
            self._refuse(f"<{tag}> without </{tag}>")
        if tag.lower() not in _LIT_RAW_TAGS:  # lit-html reads it as any other
            _Reader((content,)).read()
        self._found += [None] * content.count(_MARK)
        self._at = end.start()

    def _refuse(self, what: str) -> NoReturn:
        place = self._html[self._at : self._at + _SHOWN].replace(_MARK, "{…}")
        raise ValueError(f"the template {place!r} has {what}")


def _decoded(text: str) -> str:
    if "&" not in text:
        return text
    from html import unescape  # noqa: PLC0415 - a long list, which few templates need

    return unescape(text)
