"""What a bundle changes in the scripts of PyScript, Pyodide and lit-html.

Each change names the code that it replaces. A version that lacks it, or has it twice, is refused: it would
fail in pages, or fall short of what the documentation promises.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from .errors import BundleError
from .places import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DIGITS = 8  # of a hash in the names of PyScript's scripts; web servers tell them by it

DOCUMENT = re.compile(r"\b(\w)=document\b")  # in lit-html.js
LOADS = re.compile(r"(?<=response:)fetch(?=\(\w+,)")  # in pyodide.mjs

# A map would double the size of a script, so bundles have none.
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)

# In PyScript's core; page/core-head.js says why. The two that evaluate, and the one that starts workers.
JOINED = re.compile(r"return Function\(`return(\(w,x\)=>\(\$\{\w+\}\)\(w,x,\.\.\.\[\$\{\w+\}\]\))`\)\(\)")
JOINED_LATER = r"return nextauthLater(`\1`)"
EVALUATED = re.compile(r"=>(?=Function\(`\\'use strict\\';return \(\$\{(\w+)\}\)`\)\(\))")
LOOKED_UP = r"=>nextauthHooks.get(\1)??"
WORKER = re.compile(r'URL\.createObjectURL\(new Blob\(\["/\*@\*/"\+')
WORKER_WITH_HOOKS = 'nextauthWorker(new Blob(["/*@*/"+nextauthHooks(this)+'

# In PyScript's Python, for workers that may use the page's document: where this is forbidden, they could not.
IMPORTED = re.compile(r"js_import=(window\.Function\('return [^']+ import\(url\)\)\)'\)\(\))(?=\\n)")
IMPORTED_LATER = r"js_import=lambda*urls:\1(*urls)"

CORE_HEAD = PAGE / "core-head.js"


def edit(script: Path, pattern: re.Pattern[str], replacement: str, *, otherwise: str) -> None:
    """Replace the one place where the pattern matches.

    Args:
        script: The file to change.
        pattern: What is there.
        replacement: What is to be there, with references to groups of the pattern.
        otherwise: What the script does if it is not there, for the error.

    Raises:
        BundleError: It matches nowhere, or at several places.
    """
    text, count = pattern.subn(replacement, script.read_text("utf-8"))
    if count != 1:
        raise BundleError(f"{script.name} {otherwise}: these versions do not fit together")
    script.write_text(text, "utf-8")


def forget_source_maps(scripts: Iterable[Path]) -> None:
    """Remove the comments that name source maps: developer tools would ask for them."""
    for script in scripts:
        script.write_text(SOURCE_MAP.sub("", script.read_text("utf-8")), "utf-8")


def evaluate_nothing(core: Path, python: Path) -> None:
    """Have PyScript run under a content security policy, in pages and in their workers.

    Args:
        core: PyScript's core.
        python: The script that has its Python modules, as the core has them too.

    Raises:
        BundleError: One of the scripts is not as expected.
    """
    edit(core, JOINED, JOINED_LATER, otherwise="puts the functions for workers together in another way")
    edit(core, EVALUATED, LOOKED_UP, otherwise="evaluates the functions for workers in another way")
    edit(core, WORKER, WORKER_WITH_HOOKS, otherwise="starts workers in another way")
    for script in (core, python):
        edit(script, IMPORTED, IMPORTED_LATER, otherwise="gives workers the page's import() in another way")
    core.write_text(CORE_HEAD.read_text("utf-8") + core.read_text("utf-8"), "utf-8")


def let_files_come_from_elsewhere(script: Path) -> None:
    """Have Pyodide load its files through a hook, because the interpreter may have them already.

    No option does that: `stdLibURL` names an address before its content is there, and there is none for
    Pyodide's own code.

    Raises:
        BundleError: The script is not as expected.
    """
    edit(script, LOADS, "load", otherwise="loads files in another way")
    hook = "let load=fetch;export const loadWith=(other)=>{load=other};\n"
    script.write_text(hook + script.read_text("utf-8"), "utf-8")


def call_past_markup(script: Path) -> None:
    """Have lit-html call the document's methods, whatever elements are named like them.

    Raises:
        BundleError: The script is not as expected.
    """
    text = script.read_text("utf-8")
    name = match[1] if (match := DOCUMENT.search(text)) else "document"
    text, made = re.subn(rf"\b{name}\.(create\w+)\(", rf"Document.prototype.\1.call({name},", text)
    text, copied = re.subn(
        rf"\(([\w?.]+\?\?{name})\)\.importNode\(", r"Document.prototype.importNode.call(\1,", text
    )
    if match and (made, copied) != (4, 1):
        raise BundleError(
            f"{script.name} uses the document in another way: these versions do not fit together"
        )
    script.write_text(text, "utf-8")


def rename_by_content(folder: Path) -> None:
    """Give the scripts that have a hash in their names the hash of what they are now.

    Caches keep them for ever. They import one another in circles, so they share the hash of all.
    """
    scripts = sorted(folder.glob("*.js"))
    hashed = [path for path in scripts if re.fullmatch(rf".+-[\w-]{{{DIGITS}}}", path.stem)]
    contents = b"\0".join(path.read_bytes() for path in hashed)
    names = {path.name: _hashed_name(path, contents) for path in hashed}
    for path in scripts:
        text = path.read_text("utf-8")
        for old, new in names.items():
            text = text.replace(f"./{old}", f"./{new}")
        path.write_text(text, "utf-8")
        path.rename(folder / names.get(path.name, path.name))


def _hashed_name(path: Path, contents: bytes) -> str:
    """The name with another hash: two scripts may differ in nothing else, so their own is part of it."""
    digest = hashlib.sha256(path.name.encode() + contents).hexdigest()[:DIGITS]
    return f"{path.stem[:-DIGITS]}{digest}.js"
