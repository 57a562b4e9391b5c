"""Warm up the Pyodide whose memory is kept: do once what every page would repeat.

PyScript's modules are written by PyScript itself, when there is a page. What they import is imported here,
and they are compiled, so that a page that finds the same sources need not.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import pkgutil
import py_compile
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

STAGE = Path("/rehearsal")
SOURCES = STAGE / "home"
COMPILED = STAGE / "compiled"
HOME = Path("/home/pyodide")  # where PyScript writes

# For other libraries, or for threads that have no page.
LEFT_OUT = ("nextauth_py.adapters.", "nextauth_py.blocking", "nextauth_py.host.blocking")

# What pages import only once somebody is signed in, and pydantic with it.
MODELS = "nextauth_py.models"
SESSION = '{"user": {"name": "Alice"}, "expires": "2100-01-01T00:00:00Z"}'


def rehearse() -> None:
    """Import what a page imports, and read one session."""
    import_from_stage("nextauth_py_reseed")
    import_all({name for path in modules_of_pyscript() for name in imported_by(path)})
    import_all(name for name in our_modules() if name != MODELS)
    importlib.import_module("urllib.parse")  # what a sign-in imports
    aside = import_from_stage("nextauth_py_deferred_modules")
    before = set(sys.modules)
    importlib.import_module(MODELS).Session.model_validate_json(SESSION)
    aside.defer(name for name in set(sys.modules) - before if not is_standard(name))
    gc.collect()


def our_modules() -> list[str]:
    """The modules of this package that a page may import."""
    import nextauth_py  # noqa: PLC0415 - known only by now

    found = (module.name for module in pkgutil.walk_packages(nextauth_py.__path__, "nextauth_py."))
    return [name for name in found if not name.startswith(LEFT_OUT)]


def import_all(names: Iterable[str]) -> None:
    """Import them."""
    for name in sorted(names):
        importlib.import_module(name)


def import_from_stage(name: str) -> ModuleType:
    """Import modules that only the build has, and that stay in the memory."""
    sys.path.insert(0, str(STAGE))
    module = importlib.import_module(name)
    sys.path.remove(str(STAGE))
    return module


def modules_of_pyscript() -> list[Path]:
    """The sources of PyScript's package."""
    return sorted(SOURCES.rglob("*.py"))


def imported_by(path: Path) -> Iterator[str]:
    """The modules of the standard library that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(str(module), level=0):
                found = [module]
            case _:
                continue
        yield from filter(is_standard, found)


def is_standard(name: str) -> bool:
    """Whether a module comes with Python."""
    return name.partition(".")[0] in sys.stdlib_module_names


def compile_pyscript() -> None:
    """Compile PyScript's package, for as long as its sources are the same."""
    for path in modules_of_pyscript():
        written = HOME / path.relative_to(SOURCES)
        cached = COMPILED / Path(importlib.util.cache_from_source(str(written))).relative_to("/")
        cached.parent.mkdir(parents=True, exist_ok=True)
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(path), str(cached), str(written), doraise=True, invalidation_mode=mode)


compile_pyscript()
rehearse()
