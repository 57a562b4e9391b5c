"""Puts a bundle together: the pinned runtime, our own wheel, and what tells PyScript and Pyodide of both."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .folder import Folder
from .lock import lock_entry
from .precompile import precompiled
from .runtime import BASE_LOCK, pinned, runtime_files, runtime_key
from .wheel import Wheel, own_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PAGE_SCRIPTS = ("session-prefetch.js", "session-paint.js")

# Paths are relative to pyscript.json. "passthrough" lets Pyodide load the packages by its lock file: without
# it PyScript would go through micropip, and through a cache that does not notice a new wheel.
PYSCRIPT_CONFIG = {
    "interpreter": "./pyodide/pyodide.mjs",
    "packages": ["nextauth-py"],
    "packages_cache": "passthrough",
    "js_modules": {"main": {"./lit/lit.js": "lit"}},
}


def build_bundle(out: Path, *, report: Callable[[str], None] = print) -> None:
    """Builds or updates the runtime folder that a web server serves under any path.

    What has not changed is not built again, and foreign files in the folder stay.

    Args:
        out: The folder; new, empty, or an earlier bundle.
        report: Called with a line of text for each step.

    Raises:
        BundleError: `out` holds something else, a program is missing, or a download failed.
        OSError: `out` could not be written.
    """
    folder = Folder(out)
    runtime = runtime_key()
    wheel = own_wheel()
    package = _package_key(runtime, wheel)
    if folder.is_current("runtime", runtime) and folder.is_current("package", package):
        report(f"{out} is up to date.")
        return
    if not folder.is_current("runtime", runtime):
        _write_runtime(folder, runtime, report)
    folder.write("package", package, _package_files(folder, wheel))
    report(f"{out}: {wheel.file_name}, {folder.size() / 1e6:.1f} MB in all.")


def _package_key(runtime: str, wheel: Wheel) -> str:
    parts = [HERE / name for name in ("build.py", "page-config.js", "lit.js")]
    bundler = b"".join(path.read_bytes() for path in [*parts, *map(pinned, PAGE_SCRIPTS)])
    return f"{runtime} {wheel.file_name} {hashlib.sha256(bundler).hexdigest()[:16]}"


def _write_runtime(folder: Folder, key: str, report: Callable[[str], None]) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)  # if that fails, then before the downloads
    files = runtime_files(report)
    folder.remove("package")  # no page finds a pyscript.json until all is there
    folder.write("runtime", key, files)


def _package_files(folder: Folder, wheel: Wheel) -> dict[str, bytes | Path]:
    pyodide = folder.path / "pyodide"
    (compiled,) = precompiled([wheel], pyodide=pyodide, lock=folder.path / BASE_LOCK)
    archive = compiled.to_bytes()
    config = json.dumps(PYSCRIPT_CONFIG, indent=2)
    return {
        f"pyodide/{wheel.file_name}": archive,
        "pyodide/pyodide-lock.json": _lock(folder, wheel.file_name, archive),
        "lit/lit.js": HERE / "lit.js",
        **{name: pinned(name) for name in PAGE_SCRIPTS},
        "pyscript/page-config.js": _page_config(config),
        "pyscript.json": f"{config}\n".encode(),
    }


def _lock(folder: Folder, file_name: str, archive: bytes) -> bytes:
    lock = json.loads((folder.path / BASE_LOCK).read_text("utf-8"))
    lock["packages"]["nextauth-py"] = lock_entry(file_name, archive)
    return json.dumps(lock, indent=1).encode()


def _page_config(config: str) -> bytes:
    script = (HERE / "page-config.js").read_text("utf-8")
    return script.replace("const config = {};", f"const config = {config};").encode()
