"""What a bundle changes in the scripts of others: only where they are as expected."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nextauth_py.bundle import BundleError
from nextauth_py.bundle.build import edits
from nextauth_py.bundle.build.node import node_command

JOINED = "(f,s)=>{return Function(`return(w,x)=>(${f})(w,x,...[${s}])`)()}"
WORKER = """'const It=e=>Function(`\\'use strict\\';return (${e})`)();'"""
BLOB = (
    f"""function(){{return URL.createObjectURL(new Blob(["/*@*/"+{WORKER}],{{type:"text/javascript"}}))}}"""
)
PYTHON = (
    "const context = \"window=1\\njs_import=window.Function('return (...urls) => "
    """Promise.all(urls.map((url) => import(url)))')()\\nend";\n"""
)
CORE = f"const join={JOINED};const start={BLOB};\n{PYTHON}"


@pytest.fixture
def core(tmp_path: Path) -> Path:
    path = tmp_path / "core-12345678.js"
    path.write_text(CORE)
    return path


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "pyscript.js"
    path.write_text(PYTHON)
    return path


def run(*command: str) -> str:
    done = subprocess.run([*node_command(), *command], capture_output=True, text=True, check=True)
    return done.stdout


PAGE = """
globalThis.Function = class { constructor() { throw Error("evaluated") } };
const joined = join("(f, ...rest) => rest[1](f)", "(w) => w + 1");
const { text } = Blob.prototype;
globalThis.URL.createObjectURL = (blob) => text.call(blob).then((script) =>
    console.log(`${script}\n${CHECK}`));
const CHECK = `globalThis.Function = () => { throw Error("evaluated") };
console.log(It("${String(joined)}") instanceof Object, String(It("(w) => w * 2")), It("(w) => w * 2")(4));`;
const hooks = { onReady: "(w) => w * 2", onBeforeRun: String(joined), codeBeforeRun: "import os" };
start.call({ toJSON: () => hooks });
"""


def test_hooks_of_workers_come_in_the_script_and_nothing_is_evaluated(core: Path, python: Path) -> None:
    edits.evaluate_nothing(core, python)
    page = core.with_suffix(".mjs")
    page.write_text(core.read_text() + PAGE)
    worker = core.with_name("worker.mjs")
    worker.write_text(run(str(page)))
    assert run(str(worker)).split("\n")[0] == "true (w) => w * 2 8"


def test_a_worker_without_hooks_starts(core: Path, python: Path) -> None:
    edits.evaluate_nothing(core, python)
    page = core.with_suffix(".mjs")
    told = "globalThis.URL.createObjectURL = async (blob) => console.log(await blob.text());"
    page.write_text(f"{core.read_text()}{told}start.call(undefined)")
    assert run(str(page)).startswith("/*@*/const nextauthHooks = new Map([]);\n")


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("return Function(`return(w", "puts the functions for workers together in another way"),
        ("Function(`\\'use strict", "evaluates the functions for workers in another way"),
        ("URL.createObjectURL", "starts workers in another way"),
        ("js_import=window", "gives workers the page's import"),
    ],
)
def test_a_core_of_other_code_is_refused(core: Path, python: Path, gone: str, reason: str) -> None:
    assert CORE.count(gone) == 1
    core.write_text(CORE.replace(gone, "other"))
    with pytest.raises(BundleError, match=reason):
        edits.evaluate_nothing(core, python)
    core.write_text(CORE + CORE)
    with pytest.raises(BundleError, match="do not fit together"):
        edits.evaluate_nothing(core, python)


def test_workers_get_the_import_of_their_page_only_when_they_call_it(core: Path, python: Path) -> None:
    edits.evaluate_nothing(core, python)
    source = python.read_text()
    assert source in core.read_text()
    code = source.split('"')[1].replace("\\n", "\n").replace("window=1", "").removesuffix("end")
    names: dict[str, Any] = {"window": None}
    exec(code, names)
    evaluated: list[str] = []

    def evaluate(text: str) -> Any:
        evaluated.append(text)
        return lambda: lambda *urls: urls

    names["window"] = SimpleNamespace(Function=evaluate)
    assert names["js_import"]("a.js", "b.js") == ("a.js", "b.js")
    assert evaluated == ["return (...urls) => Promise.all(urls.map((url) => import(url)))"]


def test_lit_html_is_not_changed_blindly(tmp_path: Path) -> None:
    script = tmp_path / "lit-html.js"
    script.write_text("let l=document;l.createElement('b')")
    with pytest.raises(BundleError, match="uses the document in another way"):
        edits.call_past_markup(script)


def test_scripts_name_no_source_map(tmp_path: Path) -> None:
    script = tmp_path / "a.js"
    script.write_text(
        "const a = 1;\n//# sourceMappingURL=a.js.map\nconst b = 2;\n//# sourceMappingURL=a.js.map"
    )
    edits.forget_source_maps([script])
    assert script.read_text() == "const a = 1;\nconst b = 2;\n"


@pytest.fixture
def scripts(tmp_path: Path) -> Callable[[str], Path]:
    """Makes PyScript's folder: two import each other, two differ in nothing but a hash, one has none."""

    def make(core: str) -> Path:
        folder = tmp_path / "pyscript"
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        (folder / "core.js").write_text('export * from "./core-C9KDLldu.js";')
        (folder / "core-C9KDLldu.js").write_text(f'{core}import("./py-Dl-y4L1b.js")')
        (folder / "py-Dl-y4L1b.js").write_text('import "./core-C9KDLldu.js"; import "./toml-Blg7Izee.js"')
        (folder / "toml-Blg7Izee.js").write_text("1")
        (folder / "toml-V4Savzlc.js").write_text("2")
        (folder / "service-worker.js").write_text("")
        edits.rename_by_content(folder)
        return folder

    return make


def test_scripts_that_caches_keep_are_named_by_what_they_are(scripts: Callable[[str], Path]) -> None:
    folder = scripts("one;")
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert len(first) == 6
    assert {"core.js", "service-worker.js"} < first.keys()
    assert not [name for name in first if re.search("C9KDLldu|Dl-y4L1b|Blg7Izee|V4Savzlc", name)]
    for content in first.values():
        assert {name.strip("./") for name in re.findall(r"\./[\w.-]+", content)} <= first.keys()
    assert {path.name for path in scripts("one;").iterdir()} == first.keys()
    assert {path.name for path in scripts("other;").iterdir()} & first.keys() == {
        "core.js",
        "service-worker.js",
    }
