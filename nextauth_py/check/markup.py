"""What a page's HTML says about Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

_PYTHON = {"py", "mpy"}


@dataclass
class Markup:
    """A page's scripts.

    Attributes:
        core: The URL of PyScript's core.js, if there is one.
        is_module: Whether it is loaded as a module.
        configs: The URLs of the configs that are named.
        sources: The URLs of the pages' Python files.
        has_workers: Whether any of them runs in a worker.
        prefetch: The base path that session-prefetch.js has, if it is there; "" for the default.
        policies: The contents of ``<meta http-equiv="Content-Security-Policy">``.
    """

    core: str | None = None
    is_module: bool = False
    configs: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    has_workers: bool = False
    prefetch: str | None = None
    policies: list[str] = field(default_factory=list)

    @property
    def is_from_cdn(self) -> bool:
        """Whether PyScript comes from its CDN, not from a bundle."""
        return bool(
            self.core and re.search(r"//(?:[\w-]+\.)*(?:pyscript\.net|jsdelivr\.net|unpkg\.com)/", self.core)
        )

    @property
    def bundle(self) -> str | None:
        """The URL of the bundle, with a slash at its end; None without one."""
        if self.core is None or self.is_from_cdn:
            return None
        return urljoin(self.core, "../")


def read_markup(html: str, url: str) -> Markup:
    """Read a page that lies at a URL."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.found = Markup()
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "base" and attributes.get("href"):
            self._base = urljoin(self._base, attributes["href"])
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy":
            self.found.policies.append(attributes.get("content", ""))
        elif tag == "link" and attributes.get("rel") in {"preload", "modulepreload"}:
            self._note_core(attributes.get("href", ""), is_module=True)
        elif tag == "script" and attributes.get("type") in _PYTHON:
            self._note_python(attributes)
        elif tag == "script":
            self._note_script(attributes)

    def _note_python(self, attributes: dict[str, str]) -> None:
        if attributes.get("src"):
            self.found.sources.append(urljoin(self._base, attributes["src"]))
        if attributes.get("config", "").endswith((".json", ".toml")):
            self.found.configs.append(urljoin(self._base, attributes["config"]))
        self.found.has_workers |= "worker" in attributes

    def _note_script(self, attributes: dict[str, str]) -> None:
        src = attributes.get("src", "")
        self._note_core(src, is_module=attributes.get("type") == "module")
        if src.partition("?")[0].endswith("session-prefetch.js"):
            self.found.prefetch = attributes.get("data-base-path", "")

    def _note_core(self, src: str, *, is_module: bool) -> None:
        if re.search(r"(?:^|/)core(?:-[\w-]+)?\.js(?:\?|$)", src):
            self.found.core = urljoin(self._base, src)
            self.found.is_module |= is_module
