"""The arguments of `nextauth-py check`."""

from __future__ import annotations

import argparse

import pytest

from nextauth_py.check.command import add_command


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("shop.example/account", "https://shop.example/account"),
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1/x", "http://127.0.0.1/x"),
        ("[::1]:80", "http://[::1]:80"),
        ("localhost.example", "https://localhost.example"),
        ("https://localhost:3000", "https://localhost:3000"),
    ],
)
def test_an_address_without_a_scheme_is_asked_as_browsers_do(text: str, url: str) -> None:
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers(), lambda: "")
    assert parser.parse_args(["check", text]).url == url
