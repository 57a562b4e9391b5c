"""What a page downloads and imports of us: a budget, so that growth is a decision."""

from __future__ import annotations

import gzip
import subprocess
import sys

from nextauth_py.bundle.build.places import pinned
from nextauth_py.bundle.build.wheel import own_wheel

LOADED = {
    *("nextauth_py", "access", "calls", "errors", "provider", "state"),
    *("core", "core.bounded_json", "core.options", "core.schedule", "core.server_clock", "core.store"),
    *(
        "core.urls",
        "core.wire",
        "tabs",
        "tabs.channel",
        "tabs.fence",
        "tabs.leader",
        "tabs.looks",
        "tabs.messages",
        "tabs.poller",
    ),
    *("client", "client.background", "client.engine", "client.guards", "client.listeners"),
    *("client.driver", "client.inbox", "client.mutations", "client.outbox", "client.reader"),
    *(
        "client.registry",
        "client.revival",
        "client.sign_in",
        "client.trace",
        "client.transport",
        "client.watch",
    ),
    *("host", "ui", "ui.component", "ui.hooks", "content", "content.parts"),
}

# Of the standard library, besides what Pyodide itself has loaded by then.
STANDARD = {
    *("__future__", "copy", "dataclasses"),
    *("_json", "json", "json.decoder", "json.encoder", "json.scanner"),
}


def test_a_page_of_a_bundle_downloads_less_than_57_kilobytes_of_us() -> None:
    """A bundle compresses all modules as a whole."""
    assert len(gzip.compress(b"".join(own_wheel().files.values()))) < 57_000


def test_a_page_of_a_cdn_downloads_less_than_84_kilobytes_of_us() -> None:
    """A wheel compresses each module by itself."""
    assert len(own_wheel().to_bytes()) < 84_000


def test_the_prefetch_script_is_smaller_than_a_kilobyte() -> None:
    assert len(pinned("session-prefetch.js").read_bytes()) < 1000


def test_the_paint_script_is_smaller_than_two_kilobytes_compressed() -> None:
    assert len(gzip.compress(pinned("session-paint.js").read_bytes())) < 2000


def test_the_boot_script_is_smaller_than_three_and_a_half_kilobytes_compressed() -> None:
    assert len(gzip.compress(pinned("session-boot.js").read_bytes())) < 3500


def test_the_import_loads_these_modules_and_no_others() -> None:
    code = (
        "import sys, asyncio, zlib; before = set(sys.modules); import nextauth_py;"
        "print(*(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.partition(".")[0] == "nextauth_py"}
    assert {name.removeprefix("nextauth_py.") for name in ours} == LOADED
    assert loaded - ours <= STANDARD
