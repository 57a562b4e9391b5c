"""Browser tests of real sites, each built once and started once for each file of tests."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import (
    browser_type_launch_args,
    bundle,
    prepare,
    pytest_configure,
)

from .sites import Configuration, Site, build_all

__all__ = ["browser_type_launch_args", "bundle", "pytest_configure"]


@pytest.fixture(scope="session")
def _sites_are_built(request: pytest.FixtureRequest, bundle: Path) -> None:
    """Builds the sites of all tests that will run."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = dict.fromkeys(spec.params["site"] for spec in specs if spec and "site" in spec.params)
    build_all((each for each in wanted if isinstance(each, Configuration)), bundle)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, _sites_are_built: None) -> Iterator[Site]:
    """The site that a test names with ``parametrize("site", …, indirect=True)``."""
    with Site(request.param) as site:
        yield site


@pytest.fixture(scope="module")
def visitor(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser with cookies of its own, whose pages request nothing beyond loopback."""
    context = browser.new_context()
    outside = prepare(context)
    yield context
    context.close()
    assert outside == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the site's log with a test that failed."""
    report = yield
    for site in getattr(item, "funcargs", {}).values():
        if report.failed and isinstance(site, Site):
            report.sections.append((f"{site}", site.log[-5000:]))
    return report
