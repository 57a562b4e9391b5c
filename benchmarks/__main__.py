"""``python3 -m benchmarks``: measures ours beside its peers, and writes what came out into this folder."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from demo.bootstrap import enter

FOLDER = Path(__file__).parent
PARTS = ("startup", "tabs", "updates")


def main() -> None:
    """Measure, print the tables, and write the results if everything was measured."""
    only = _parser().parse_args().only
    chosen = [only] if only else PARTS
    enter("benchmarks")
    # Only now is everything installed.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    from . import startup, tabs, updates  # noqa: PLC0415
    from .report import Table, write  # noqa: PLC0415
    from .setting import prepare  # noqa: PLC0415

    mounts, options = prepare()
    tables: list[Table] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        facts = {
            "browser": f"Chromium {browser.version}, headless",
            "machine": f"{os.cpu_count()} cores, {platform.system()}",
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        if "startup" in chosen:
            tables.append(startup.measure(browser, mounts))
        if "tabs" in chosen:
            tables += tabs.measure(browser, mounts)
        if "updates" in chosen:
            tables.append(updates.measure(browser, mounts))
        browser.close()
    print(*(f"\n{table.markdown()}" for table in tables), sep="\n")
    if not only:
        write(FOLDER, tables, facts)
        (FOLDER / "startup.svg").write_text(tables[0].svg("warm"), "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description="Ours beside its peers.")
    parser.add_argument("--only", choices=PARTS, help="measure just this, and write nothing")
    return parser


if __name__ == "__main__":
    main()
