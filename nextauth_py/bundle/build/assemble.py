"""Assemble a bundle: the pinned runtime, our own wheel, and the config and lock file that name both."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .folder import Folder
from .lock import lock_entry
from .minify import stripped
from .places import PAGE, digest, pinned
from .precompile import precompiled
from .prepare import prepared_files, render_template
from .runtime import BASE_LOCK, runtime_files, runtime_key
from .wheel import Wheel, own_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# What pages may load before Python, and what windows of a sign-in end with.
SCRIPTS = (
    "session-prefetch.js",
    "session-paint.js",
    "session-boot.js",
    "session-popup.html",
    "session-popup.js",
)

# Paths are relative to pyscript.json. "passthrough" lets Pyodide load the packages by its lock file: without
# it PyScript would go through micropip, and through a cache that does not notice a new wheel.
PYSCRIPT_CONFIG: dict[str, Any] = {
    "interpreter": "./pyodide/interpreter.mjs",
    "packages": ["nextauth-py"],
    "packages_cache": "passthrough",
    "js_modules": {"main": {"./lit/lit.js": "lit"}},
}

# For pages that load PyScript from its CDN, and with it the Pyodide and the packages that it knows.
CDN_CONFIG: dict[str, Any] = {
    "packages": ["pydantic", "pyodide-http"],
    **{key: PYSCRIPT_CONFIG[key] for key in ("packages_cache", "js_modules")},
}


def build_bundle(
    out: Path, *, snapshot: bool = True, cdn: bool = False, report: Callable[[str], None] = print
) -> None:
    """Build or update the runtime folder, which a web server serves under any path.

    What has not changed is not built again, and foreign files in the folder stay.

    Args:
        out: The folder; new, empty, or an earlier bundle.
        snapshot: Whether pages start from a snapshot of Python's memory, which they download once.
        cdn: Leave out PyScript, Pyodide and pydantic, for pages that load PyScript from its CDN.
        report: Called with a line of text for each step.

    Raises:
        BundleError: `out` holds something else, a program is missing, or a download failed.
        OSError: `out` could not be written.
    """
    folder = Folder(out)
    kind = "cdn" if cdn else "snapshot" if snapshot else "no-snapshot"
    runtime = f"{runtime_key()} {'lit' if cdn else 'all'}"
    wheel = own_wheel() if cdn else own_wheel(shorten=stripped)  # lines count in what is compiled
    package = _package_key(runtime, wheel, kind)
    if folder.is_current("runtime", runtime) and folder.is_current("package", package):
        report(f"{out} is up to date.")
        return
    out.mkdir(parents=True, exist_ok=True)  # if that fails, then before the downloads
    is_current = folder.is_current("runtime", runtime)
    base = {} if is_current and cdn else runtime_files(report)
    if not is_current:
        folder.remove("package")  # no page finds a pyscript.json until all is there
        only = "lit/" if cdn else ""
        folder.write("runtime", runtime, {name: path for name, path in base.items() if name.startswith(only)})
    files = _cdn_files(wheel) if cdn else _package_files(base, wheel, snapshot=snapshot)
    folder.write("package", package, files | _scripts())
    report(f"{out}: {wheel.file_name}, {folder.size() / 1e6:.1f} MB in all.")


def _package_key(runtime: str, wheel: Wheel, kind: str) -> str:
    scripts = digest(*map(pinned, SCRIPTS))
    return f"{runtime} {wheel.file_name} {scripts} {kind}"


def _scripts() -> dict[str, bytes | Path]:
    return {"lit/lit.js": PAGE / "lit.js", **{name: pinned(name) for name in SCRIPTS}}


def _cdn_files(wheel: Wheel) -> dict[str, bytes | Path]:
    """Return sources instead of bytecode: the CDN's Python version is unknown here."""
    config = {**CDN_CONFIG, "packages": [*CDN_CONFIG["packages"], f"./{wheel.file_name}"]}
    return {wheel.file_name: wheel.to_bytes(), "pyscript.json": _json(config)}


def _json(content: object) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()


def _package_files(base: Mapping[str, Path], wheel: Wheel, *, snapshot: bool) -> dict[str, bytes | Path]:
    """Return the files that are added to the runtime.

    Node runs the runtime's own files, not their copies in the bundle, which may have been changed by anybody.
    """
    base_lock = base[BASE_LOCK]
    runtime, pyodide = base_lock.parents[1], base_lock.parent
    (compiled,) = precompiled([wheel], pyodide=pyodide, lock=base_lock)
    archive = compiled.to_bytes()
    lock = json.loads(base_lock.read_text("utf-8"))
    lock["packages"]["nextauth-py"] = lock_entry(wheel.file_name, archive, lock["info"])
    own = [name for name in sorted(base) if re.fullmatch(r"pyodide/(?:.*/)?pyodide.*\.mjs", name)]
    modules = [f"./{path}" for path in ["pyodide/preload.mjs", *own]]
    page_config = {"config": json.dumps(PYSCRIPT_CONFIG, indent=2), "modules": json.dumps(modules)}
    return {
        f"pyodide/{wheel.file_name}": archive,
        "pyodide/pyodide-lock.json": json.dumps(lock, indent=1).encode(),
        **prepared_files(compiled, runtime=runtime, lock=lock, snapshot=snapshot),
        "pyscript/page-config.js": render_template("page-config.js", page_config),
        "pyscript.json": _json(PYSCRIPT_CONFIG),
    }
