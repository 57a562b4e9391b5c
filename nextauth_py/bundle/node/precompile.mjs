// Compiles Python for the Pyodide that will run it: node precompile.mjs PYODIDE LOCK FOLDER PLACE
// Each folder in FOLDER has what will lie at PLACE in a page; beside each .py, a .pyc is written.

import { pathToFileURL } from "node:url";

const [pyodideFolder, lockFileURL, folder, place] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodideFolder}/pyodide.mjs`).href);
// Without the columns of each instruction, which only underline part of a line in a traceback: a third of the size.
const args = ["-X", "no_debug_ranges"];
const pyodide = await loadPyodide({ indexURL: pyodideFolder, lockFileURL, args });
pyodide.FS.mkdirTree("/trees");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/trees");
pyodide.runPython(`
import compileall, os, py_compile

for tree in os.listdir("/trees"):
    compileall.compile_dir(
        f"/trees/{tree}",
        legacy=True,
        quiet=1,
        stripdir=f"/trees/{tree}",
        prependdir=${JSON.stringify(place)},
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
`);
