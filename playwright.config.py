"""How the browser tests run: browsers, flags, base URL, timeouts. Read by tests/browser/conftest.py."""

# The browsers that the tests run in by default; `--browser NAME` chooses others.
BROWSERS = ["chromium"]

# Headless Chromium as root in a container, without a graphics card, and without calling home.
LAUNCH_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# None: a real NextAuth server is started on a free port. Set it to test one that runs already.
BASE_URL: str | None = None

# In milliseconds. Python boots in 3 s on two idle cores; a busy CI machine may need far longer, and a test
# that waits for a condition loses nothing by a patient limit.
ACTION_TIMEOUT = 60_000
EXPECT_TIMEOUT = 60_000
