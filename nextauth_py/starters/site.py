"""Write a site from the templates beside this module."""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Kind:
    """A kind of site.

    Attributes:
        parts: The folders that it is made of. A file of a later one takes the place of an earlier one's.
        extras: Of this package, those that its requirements name.
        port: Where it listens by default.
        auth_routes: Where its auth routes are, below its base path.
        env_file: What has its secrets, which only its owner may read.
    """

    parts: tuple[str, ...]
    extras: str
    port: int
    auth_routes: str
    env_file: str = ".env"


KINDS = {
    "express": Kind(("shared", "node", "express"), "bundle,testing", 3000, "/auth"),
    "next": Kind(("shared", "next"), "bundle,testing", 3000, "/api/auth", ".env.local"),
    "fastapi": Kind(("shared", "node", "fastapi"), "bundle,server,testing", 8000, "/api/auth"),
}

# Their names begin with a dot. Those of the templates do not, because some would act on this repository.
DOTTED = {"env", "env.local", "gitignore", "npmrc"}

# The same as the file with the secrets, but for these values: it goes into Git.
ENV_EXAMPLE = ".env.example"
UNSET = {"SECRET": "", "TRY_USERS": ""}

# npm's rule for the names of packages, which the site's name becomes.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
RESERVED = {"node_modules", "favicon.ico"}

BASE_PATH = re.compile(r"(?:/[a-z0-9][a-z0-9_-]*)*", re.IGNORECASE)


class SiteError(Exception):
    """The site was not written; the text says why, and what to do."""


def write_site(folder: Path, kind: str, *, base_path: str = "") -> None:
    """Write a site into a new or empty folder, which has its name.

    Args:
        folder: Where to.
        kind: One of `KINDS`.
        base_path: The path of the site on its server, as ``/shop``.

    Raises:
        SiteError: The name, the path or the folder cannot be taken.
        OSError: The folder cannot be written.
    """
    name, base_path = _checked_name(folder), _checked_base_path(base_path)
    env_file = KINDS[kind].env_file
    values = {"NAME": name, "BASE_PATH": base_path, **_values(KINDS[kind])}
    _check_free(folder)
    templates = {path: file.read_text("utf-8") for path, file in _templates(KINDS[kind]).items()}
    for path, template in sorted(templates.items()):
        _write(folder / path, _filled(template, values), is_secret=path == env_file)
    _write(folder / ENV_EXAMPLE, _filled(templates[env_file], values | UNSET))


def _values(kind: Kind) -> dict[str, str]:
    return {
        "AUTH_ROUTES": kind.auth_routes,
        "ENV_FILE": kind.env_file,
        "PORT": str(kind.port),
        "REQUIREMENT": _requirement(kind.extras),
        "SECRET": secrets.token_urlsafe(32),
        "TRY_USERS": "yes",
    }


def _write(path: Path, text: str, *, is_secret: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        if is_secret:
            path.chmod(0o600)
        file.write(text)


def _checked_name(folder: Path) -> str:
    name = Path(os.path.abspath(folder)).name  # noqa: PTH100 - of the link, if it is one
    if not NAME.fullmatch(name) or name in RESERVED:
        raise SiteError(
            f"{name!r} is no name for a site: take lower-case letters and digits, then also . _ and -"
        )
    return name


def _checked_base_path(path: str) -> str:
    path = path.rstrip("/")
    if not BASE_PATH.fullmatch(path):
        raise SiteError(f"{path!r} is no base path: write it as /shop or /shop/club")
    return path


def _check_free(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise SiteError(f"{folder} is there and not empty: name a new or empty folder. Nothing was written.")


def _templates(kind: Kind) -> dict[str, Path]:
    """The templates of a site by the path of the file that each becomes."""
    return {_target(path.relative_to(root)): path for root, path in _files(kind)}


def _files(kind: Kind) -> Iterator[tuple[Path, Path]]:
    for part in kind.parts:
        root = TEMPLATES / part
        for path in root.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield root, path


def _target(path: Path) -> str:
    name = f".{path.name}" if path.name in DOTTED else path.name
    return path.with_name(name).as_posix()


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub("__([A-Z_]+?)__", lambda found: values.get(found[1], found[0]), text)


def _requirement(extras: str) -> str:
    """What pip installs this package from: where it was installed from, else its version on PyPI."""
    installed = distribution("nextauth-py")
    source = json.loads(installed.read_text("direct_url.json") or "{}")
    name = f"nextauth-py[{extras}]"
    if "url" not in source:
        return f"{name}=={installed.version}"
    version_control = source.get("vcs_info")
    if version_control is None:
        return f"{name} @ {source['url']}"
    return f"{name} @ {version_control['vcs']}+{source['url']}@{version_control['commit_id']}"
