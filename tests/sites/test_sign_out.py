"""A sign-out stays one, though pages that are under way set the session cookie again when they are answered.

Auth.js's documented proxy sets it with each answer of the site, ``getServerSession`` of NextAuth v4 with each
page that calls it. `undone.py` counts how often React's sign-out is undone by that.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .sites import Configuration, Site
from .undone import PYTHON, is_undone, open_page

CONFIGURATIONS = [
    Configuration("next-app"),
    Configuration("next-app", matcher="recommended"),
    Configuration("next-pages"),
]

pytestmark = [
    pytest.mark.parametrize("site", CONFIGURATIONS, ids=str, indirect=True, scope="module"),
    pytest.mark.timeout(900),  # the first one installs and builds the sites
]


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    return visitor.new_page()


def test_pages_under_way_do_not_undo_a_sign_out(page: Page, site: Site) -> None:
    traffic = open_page(page, site.url(PYTHON.path))
    assert not is_undone(page, traffic, PYTHON)
    traffic.wait_until_quiet()
    assert page.request.get(site.auth_url("session")).json() in (None, {})
    expect(page.locator(PYTHON.shown)).to_have_text("Signed out")
