"""``python3 -m benchmarks``: measures ours beside its peers, and writes what came out into this folder."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from demo.bootstrap import enter

FOLDER = Path(__file__).parent
PARTS = ("startup", "tabs", "updates", "sign-ins")


def main() -> None:
    """Measure, print the tables, and write the results."""
    only = _parser().parse_args().only
    enter("benchmarks")
    # Only now is everything installed.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    from . import sign_ins, startup, tabs, updates  # noqa: PLC0415
    from .report import write  # noqa: PLC0415
    from .setting import prepare  # noqa: PLC0415

    mounts, options = prepare()
    measures = {
        "startup": startup.measure,
        "tabs": tabs.measure,
        "updates": updates.measure,
        "sign-ins": sign_ins.measure,
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        facts = {
            "browser": f"Chromium {browser.version}, headless",
            "machine": f"{os.cpu_count()} cores, {platform.system()}",
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        for part in [only] if only else PARTS:
            tables = measures[part](browser, mounts)
            print(*(f"\n{table.markdown()}" for table in tables), sep="\n", flush=True)
            write(FOLDER, part, tables, facts)
            if part == "startup":
                (FOLDER / "startup.svg").write_text(tables[0].svg("warm"), "utf-8")
        browser.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description="Ours beside its peers.")
    parser.add_argument("--only", choices=PARTS, help="measure just this")
    return parser


if __name__ == "__main__":
    main()
