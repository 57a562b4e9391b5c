"""`nextauth-py new`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from nextauth_py.bundle.build.node import node_command, node_environment
from nextauth_py.bundle.cli import main
from nextauth_py.starters import site
from nextauth_py.starters.site import KINDS, SiteError, write_site

kinds = pytest.mark.parametrize("kind", KINDS)


def texts(folder: Path) -> dict[str, str]:
    """All files by their path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def secrets_of(folder: Path) -> list[str]:
    return re.findall(r"^AUTH_SECRET=(.+)$", "\n".join(texts(folder).values()), re.MULTILINE)


@kinds
def test_a_site_has_all_its_files(tmp_path: Path, kind: str) -> None:
    assert main(["new", str(tmp_path / "my-site"), "--with", kind]) == 0
    written = texts(tmp_path / "my-site")
    assert written.keys() >= {
        *(".env.example", ".gitignore", ".npmrc", "README.md", "package.json", "package-lock.json"),
        *("public/pages/account.py", "public/pages/admins.py", "public/pages/members.py"),
        *("pytest.ini", "requirements.txt", "tests/conftest.py", "tests/test_pages.py", "tests/test_site.py"),
    }


@kinds
def test_no_placeholder_is_left_over(tmp_path: Path, kind: str) -> None:
    write_site(tmp_path / "my-site", kind, base_path="/shop")
    for name, text in texts(tmp_path / "my-site").items():
        assert not re.search("__[A-Z_]+__", text), name


@kinds
def test_the_name_and_the_base_path_are_filled_in(tmp_path: Path, kind: str) -> None:
    write_site(tmp_path / "my-site", kind, base_path="/shop/")
    written = texts(tmp_path / "my-site")
    assert json.loads(written["package.json"])["name"] == "my-site"
    assert json.loads(written["package-lock.json"])["name"] == "my-site"
    assert written["README.md"].startswith("# my-site\n")
    assert 'BASE = "/shop"' in written["tests/test_site.py"]


@kinds
def test_each_site_has_a_secret_of_its_own_that_git_ignores(tmp_path: Path, kind: str) -> None:
    for name in ("one", "two"):
        write_site(tmp_path / name, kind)
    (one,), (two,) = secrets_of(tmp_path / "one"), secrets_of(tmp_path / "two")
    assert len(one) >= 43  # 32 bytes
    assert one != two
    (holder,) = [path for path, text in texts(tmp_path / "one").items() if one in text]
    assert holder in texts(tmp_path / "one")[".gitignore"].splitlines()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@kinds
def test_only_the_owner_may_read_the_secret(tmp_path: Path, kind: str) -> None:
    write_site(tmp_path / "one", kind)
    (holder,) = [path for path in (tmp_path / "one").glob(".env*") if path.name != ".env.example"]
    assert stat.S_IMODE(holder.stat().st_mode) == 0o600


@kinds
def test_packages_are_pinned_and_no_lock_names_a_registry(tmp_path: Path, kind: str) -> None:
    write_site(tmp_path / "my-site", kind)
    written = texts(tmp_path / "my-site")
    package = json.loads(written["package.json"])
    pins = package["dependencies"] | package.get("devDependencies", {})
    assert [pin for pin in pins.values() if not re.fullmatch(r"\d+\.\d+\.\d+(-beta\.\d+)?", pin)] == []
    lock = json.loads(written["package-lock.json"])
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in pins} == pins
    assert '"resolved"' not in written["package-lock.json"]


def run_script(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a site, without the variables that would take the place of its file."""
    environment = {name: value for name, value in node_environment().items() if name != "AUTH_SECRET"}
    command = [*node_command(), f"scripts/{name}.mjs"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@kinds
def test_a_site_checks_what_it_needs_before_it_starts(tmp_path: Path, kind: str) -> None:
    write_site(tmp_path / "my-site", kind)
    scripts = json.loads((tmp_path / "my-site/package.json").read_text("utf-8"))["scripts"]
    assert scripts["predev"] == scripts["prestart"] == "node scripts/check.mjs"


def test_a_missing_bundle_is_named_with_the_command_that_builds_it(tmp_path: Path) -> None:
    write_site(tmp_path / "my-site", "express")
    done = run_script(tmp_path / "my-site", "check")
    assert done.returncode == 0
    assert done.stderr == "public/py is missing: pages have no Python and stay empty. Run: npm run bundle\n"
    (tmp_path / "my-site/public/py").mkdir()
    (tmp_path / "my-site/public/py/pyscript.json").write_text("{}")
    assert run_script(tmp_path / "my-site", "check").stderr == ""


@kinds
def test_a_clone_without_the_secrets_does_not_start_until_setup_has_made_them(
    tmp_path: Path, kind: str
) -> None:
    clone, env_file = tmp_path / "my-site", KINDS[kind].env_file
    write_site(clone, kind)
    (clone / env_file).unlink()
    done = run_script(clone, "check")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{env_file} is missing")
    assert done.stderr.endswith("Run: npm run setup\n")
    assert run_script(clone, "setup").returncode == 0
    assert run_script(clone, "check").returncode == 0
    (secret,) = secrets_of(clone)
    assert len(secret) >= 43
    assert re.search("^TRY_USERS=$", (clone / env_file).read_text("utf-8"), re.MULTILINE)
    if os.name != "nt":
        assert stat.S_IMODE((clone / env_file).stat().st_mode) == 0o600


def test_setup_leaves_secrets_alone_that_are_there(tmp_path: Path) -> None:
    write_site(tmp_path / "my-site", "express")
    before = texts(tmp_path / "my-site")
    assert "nothing was changed" in run_script(tmp_path / "my-site", "setup").stdout
    assert texts(tmp_path / "my-site") == before


def test_a_secret_that_is_empty_is_named(tmp_path: Path) -> None:
    write_site(tmp_path / "my-site", "express")
    (tmp_path / "my-site/.env").write_text("AUTH_SECRET=\n")
    done = run_script(tmp_path / "my-site", "check")
    assert done.returncode == 1
    assert "AUTH_SECRET is empty in .env" in done.stderr


@kinds
def test_the_callbacks_for_github_are_named_for_this_machine_and_in_public(tmp_path: Path, kind: str) -> None:
    write_site(tmp_path / "my-site", kind, base_path="/shop")
    path = f"/shop{KINDS[kind].auth_routes}/callback/github"
    for name in (".env.example", KINDS[kind].env_file):
        text = (tmp_path / "my-site" / name).read_text("utf-8")
        assert f"http://localhost:{KINDS[kind].port}{path}" in text
        assert f"https://your.site{path}" in text


def test_the_next_three_commands_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["new", str(tmp_path / "my-site"), "--with", "express"])
    commands = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    install = f'  cd "{tmp_path / "my-site"}" && pip install -r requirements.txt && npm ci'
    assert commands == [install, "  npm run bundle", "  npm run dev"]


def test_an_empty_folder_is_taken_and_one_that_is_not_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["new", str(tmp_path / "empty"), "--with", "express"]) == 0
    full = tmp_path / "full"
    full.mkdir()
    (full / "server.mjs").write_text("mine")
    assert main(["new", str(full), "--with", "express"]) == 1
    assert texts(full) == {"server.mjs": "mine"}
    assert "full is there and not empty" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "my-site").write_text("mine")
    with pytest.raises(SiteError, match="not empty"):
        write_site(tmp_path / "my-site", "express")
    assert (tmp_path / "my-site").read_text() == "mine"


def test_a_broken_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "my-site").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((SiteError, OSError)):
        write_site(tmp_path / "my-site", "express")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["My-Site", "-site", ".site", "a b", 'a"b', "node_modules", "ö", "a" * 101])
def test_a_name_that_npm_would_refuse_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SiteError, match=r"is no name for a site"):
        write_site(tmp_path / name, "express")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["shop", "/a b", "//elsewhere.example", "/shop?", "/../x", '/"', "/{x}"])
def test_a_base_path_that_is_none_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(SiteError, match="is no base path"):
        write_site(tmp_path / "my-site", "express", base_path=path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("direct_url", "requirement"),
    [
        (None, "nextauth-py[bundle]==1.2.3"),
        ('{"url": "file:///home/me/nextauth_py", "dir_info": {"editable": true}}',
         "nextauth-py[bundle] @ file:///home/me/nextauth_py"),
        ('{"url": "https://git.example/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
         "nextauth-py[bundle] @ git+https://git.example/x.git@abc"),
    ],
    ids=["PyPI", "checkout", "Git"],
)  # fmt: skip
def test_a_site_asks_for_the_package_where_it_was_installed_from(
    monkeypatch: pytest.MonkeyPatch, direct_url: str | None, requirement: str
) -> None:
    class Installed:
        version = "1.2.3"

        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return direct_url

    monkeypatch.setattr(site, "distribution", lambda _name: Installed())
    assert site._requirement("bundle") == requirement
