"""The address of a refused page, which the sign-in page leads back to: made of what anybody may send."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextauth_py.server.gate import Visit


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("/me", b"a=1&b=%20", "/me?a=1&b=%20"),
        ("//evil.example/x", b"", "/evil.example/x"),
        ("/\\evil.example", "", "/%5Cevil.example"),
        ("\\\\evil.example", "", "/%5C%5Cevil.example"),
        ("https://evil.example/x", b"", "/https://evil.example/x"),
        ("javascript:alert(1)", b"", "/javascript:alert(1)"),
        ("/\t/evil.example", b"", "/%09/evil.example"),
        ("/x\r\nSet-Cookie: a=b", b"\r\nX: y", "/x%0D%0ASet-Cookie:%20a=b?%0D%0AX:%20y"),
        ("*", b"", "/*"),
        ("", b"", "/"),
        ("/100%", b"%zz", "/100%25?%zz"),
        ("/\ud83d", "\ud83d", "/%3F??"),
    ],
)
def test_any_target_becomes_a_path_of_this_origin(path: str, query: str | bytes, address: str) -> None:
    assert Visit("GET", path, query, "text/html").address == address


@given(st.text(), st.binary())
def test_no_target_leads_elsewhere(path: str, query: bytes) -> None:
    address = Visit("GET", path, query, "").address
    assert address.isascii()
    assert address.isprintable()
    assert not set('\\ #"<>') & set(address)
    assert address.startswith("/")
    assert not address.startswith("//")
    assert urlsplit(urljoin("https://site.example/a", address)).netloc == "site.example"
