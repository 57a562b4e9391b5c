"""JSON from outside (servers, other tabs, the page itself), bounded before it is parsed. Pure."""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from json import JSONDecoder
from typing import Any

# In characters. A session in a cookie has at most some 50 kB, because servers refuse longer headers. One in a
# database may be longer, but every read sends it, and Pyodide never gives memory back to the browser.
LONGEST = 2**20

# Of a message between tabs, in characters. What has been read as an answer can be sent on: written again it
# takes at most four times the room (1e15 becomes 1000000000000000.0).
LONGEST_MESSAGE = 4 * LONGEST + 10_000

# In levels of arrays and objects. Parsing, validating, comparing and writing recurse, on a stack that Python
# shares with JavaScript. The browser ends that before Python does, and no `except` helps: Pyodide is
# broken from then on. Chromium's stack of 984 kB holds 4,400 nested arrays, or 3,500 objects, if nothing else
# is on it. A call from JavaScript to Python takes 2.8 kB, so 345 nested calls fill it even without any JSON.
# 64 levels take 18 kB, as much as six such calls. (Of nested models pydantic refuses the 50th in a browser.)
DEEPEST = 64

# Everything but brackets: strings, of which the last may be unfinished, and what is between them.
_NO_BRACKETS = re.compile(r'"(?:[^"\\]+|\\.)*+"?|[^][{}"]+', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}

# Half a surrogate pair, as JavaScript's `slice` leaves it of an emoji. The group is what looks similar.
_HALF = r"\\u[dD][{}][\da-fA-F]{{2}}"
_HALVES = re.compile(
    rf"(\\[^u]|{_HALF.format('89abAB')}{_HALF.format('c-fC-F')})|{_HALF.format('89a-fA-F')}|[\ud800-\udfff]",
    re.DOTALL,
)


def loads(text: str, *, longest: int = LONGEST, deepest: int = DEEPEST) -> Any:
    """Parse JSON that anyone may have written.

    What it returns can be validated, compared and written as JSON again. Half an emoji becomes U+FFFD,
    because neither UTF-8 nor pydantic takes it; a number that no float can hold becomes the largest one.

    Args:
        text: The JSON.
        longest: The most characters.
        deepest: The most levels of arrays and objects.

    Raises:
        ValueError: The text is too long, too deep, or not JSON; Python's NaN and Infinity are not.
    """
    if len(text) > longest or _is_deeper(text, deepest):
        raise ValueError("the JSON is too long or too deep")
    if not text.isascii() or "\\u" in text:
        text = _HALVES.sub(lambda found: found[1] or "\\ufffd", text)
    try:
        return _decode(text)
    except (RecursionError, MemoryError):
        raise ValueError("the JSON is too long or too deep for this place") from None


def _is_deeper(text: str, levels: int) -> bool:
    """Whether brackets are nested deeper. Only where there are many does it matter what is in strings."""
    if text.count("[") + text.count("{") <= levels:
        return False
    return max(accumulate(map(_STEPS.__getitem__, _NO_BRACKETS.sub("", text))), default=0) > levels


def _finite(text: str) -> float:
    return max(min(float(text), sys.float_info.max), -sys.float_info.max)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decode = JSONDecoder(parse_float=_finite, parse_constant=_refuse).decode
