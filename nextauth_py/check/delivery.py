"""How the files of a bundle are cached and compressed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .caching import directives, seconds
from .findings import Finding, listed, note, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .answers import Answer

# Of these the name has a hash of the contents, so browsers need never ask again.
_FOREVER = re.compile(r"pyodide/[0-9a-f]{8}/|pyscript/.*-[\w-]{8}\.js$|\.whl$")

_COMPRESSIBLE = (".js", ".mjs", ".json")
_PACKED = (".bin", ".whl", ".zip")

_MONTH = 30 * 24 * 60 * 60
_WORTH_COMPRESSING = 20_000  # bytes


def check_caching(usable: Mapping[str, Answer]) -> Iterator[Finding]:
    """Judge which of a bundle's files browsers keep. `usable` has the answers by path in the bundle."""
    forever = {path: answer for path, answer in usable.items() if _FOREVER.search(path)}
    others = {path: answer for path, answer in usable.items() if path not in forever}
    problems = [*_kept_forever(forever), *_asked_again(others)]
    yield from problems
    if not problems:
        yield ok(
            "bundle caching", "files with a hash in their names are kept, browsers ask again for the others"
        )


def _kept_forever(answers: Mapping[str, Answer]) -> Iterator[Finding]:
    fix = (
        "Cache-Control: public, max-age=31536000, immutable on pyodide/<8 hex digits>/, pyscript/…-<hash>.js "
        "and *.whl"
    )
    found = {path: directives(answer.one("cache-control")) for path, answer in answers.items()}
    short = [path for path, told in found.items() if seconds(told, "max-age") < _MONTH or _forbids(told)]
    if short:
        yield warning(
            "bundle caching", f"browsers ask again for files that never change: {listed(short)}", fix
        )
    if mutable := [path for path, told in found.items() if path not in short and "immutable" not in told]:
        yield note("bundle caching", f"not immutable, so a reload asks again: {listed(mutable)}", fix)


def _forbids(told: Mapping[str, str]) -> bool:
    return bool({"no-store", "no-cache"} & set(told))


def _asked_again(answers: Mapping[str, Answer]) -> Iterator[Finding]:
    found = {path: directives(answer.one("cache-control")) for path, answer in answers.items()}
    stale = [path for path, told in found.items() if _may_be_stale(told)]
    if stale:
        longest = max(seconds(found[path], "max-age") for path in stale)
        how_long = f"for up to {longest} s" if longest else "for as long as each browser guesses"
        yield warning(
            "bundle caching",
            f"after an update pages mix old and new files {how_long}: {listed(stale)}",
            "Cache-Control: no-cache on files without a hash in their names",
        )
    if unkept := [path for path, told in found.items() if "no-store" in told]:
        yield warning(
            "bundle caching", f"downloaded at each visit (no-store): {listed(unkept)}", "no-cache instead"
        )
    whole = [path for path in answers if path not in unkept and not _has_validator(answers[path])]
    if whole:
        yield warning(
            "bundle caching",
            f"downloaded at each visit, without ETag or Last-Modified: {listed(whole)}",
            "let the web server send one of them",
        )


def _may_be_stale(told: Mapping[str, str]) -> bool:
    if _forbids(told):
        return False
    return bool(seconds(told, "max-age")) or "max-age" not in told


def _has_validator(answer: Answer) -> bool:
    return bool(answer.one("etag") or answer.one("last-modified"))


def check_compression(usable: Mapping[str, Answer], *, has_snapshot: bool) -> Iterator[Finding]:
    """Judge how a bundle's files are compressed; with a snapshot few pages load its WebAssembly."""
    kinds = _COMPRESSIBLE if has_snapshot else (*_COMPRESSIBLE, ".wasm")
    plain = [path for path, each in usable.items() if path.endswith(kinds) and _is_plain_and_big(each)]
    if plain:
        size = max(_size(usable[path]) for path in plain)
        yield warning(
            "bundle compression",
            f"not compressed: {listed(plain)}" + (f", up to {size / 1e6:.1f} MB" if size else ""),
            f"compress {' '.join(kinds)}, as with nginx's gzip_types application/javascript text/javascript "
            "application/json application/wasm",
        )
    if twice := [path for path, each in usable.items() if path.endswith(_PACKED) and _coding(each)]:
        yield note(
            "bundle compression",
            f"compressed twice, which costs time only: {listed(twice)}",
            "leave them as they are",
        )
    if not plain and not twice:
        yield ok("bundle compression", "scripts are compressed")


def is_plain(path: str, answer: Answer) -> bool:
    """Whether a file that is worth compressing came uncompressed."""
    return path.endswith((*_COMPRESSIBLE, ".wasm")) and answer.ok and _is_plain_and_big(answer)


def _is_plain_and_big(answer: Answer) -> bool:
    return not _coding(answer) and max(_size(answer), len(answer.body)) >= _WORTH_COMPRESSING


def _coding(answer: Answer) -> str:
    return answer.one("content-encoding").replace("identity", "").strip()


def _size(answer: Answer) -> int:
    length = answer.one("content-length")
    return int(length[:12]) if length.isascii() and length.isdigit() else 0
