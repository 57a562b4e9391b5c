"""`nextauth-py check` at real sites, with the middleware of Auth.js's documentation and with ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nextauth_py.bundle.cli import main

from .sites import Configuration, Site

SITES = [
    Configuration("next-app"),
    Configuration("next-app", matcher="recommended"),
    Configuration("next-app", "/shop"),
    Configuration("next-pages"),
    Configuration("express"),
    Configuration("sveltekit"),
]
GENERATIONS = {"next-pages": "NextAuth v4"}

pytestmark = [
    pytest.mark.parametrize("site", SITES, ids=str, indirect=True, scope="module"),
    pytest.mark.timeout(900),  # the first one installs and builds the sites
]


def check(site: Site, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    bundle = site.url("/py")
    main(["check", site.url("/python"), "--json", "--bundle", bundle, *options])
    findings: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return findings


def test_it_finds_the_auth_routes_and_what_middleware_does(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = check(site, capsys)
    configuration = site.configuration
    generation = GENERATIONS.get(configuration.site, "Auth.js v5")
    path = site.auth_url("").rstrip("/").removeprefix(site.origin)
    assert f"{generation}, with base_path={path!r}" in [each["text"] for each in findings]
    assert [each for each in findings if each["level"] == "error"] == []
    renews = [each["subject"] for each in findings if "middleware runs" in each["text"]]
    is_documented = configuration.site == "next-app" and configuration.matcher != "recommended"
    assert bool(renews) == is_documented


def test_a_wrong_base_path_is_an_error(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    findings = check(site, capsys, "--base-path", "/nowhere")
    assert [each["subject"] for each in findings if each["level"] == "error"] == ["session"]
