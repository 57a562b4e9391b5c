// Compiles Python for the Pyodide that will run it: node precompile.mjs PYODIDE LOCK FOLDER
// Each folder in FOLDER has the contents of one wheel; beside each .py, a .pyc is written.

import { pathToFileURL } from "node:url";

const [pyodideFolder, lockFileURL, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodideFolder}/pyodide.mjs`));
// Without the columns of each instruction, which only underline part of a line in a traceback: a third of the size.
const args = ["-X", "no_debug_ranges"];
const pyodide = await loadPyodide({ indexURL: pyodideFolder, lockFileURL, args });
pyodide.FS.mkdirTree("/wheels");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/wheels");
pyodide.runPython(`
import compileall, os, py_compile, sysconfig

for wheel in os.listdir("/wheels"):
    compileall.compile_dir(
        f"/wheels/{wheel}",
        legacy=True,
        quiet=1,
        stripdir=f"/wheels/{wheel}",
        prependdir=sysconfig.get_path("purelib"),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
`);
