// What lies ready before Python starts: files, and a library at the same place of memory in every page.

/**
 * Pyodide's module, with both in place. A library loaded that early needs no `dlopen` later, and what points to it in
 * a snapshot of the memory stays right, because it always comes first.
 *
 * @param {(settings: object) => Promise<object>} create - the default export of pyodide.asm.mjs
 * @param {object} settings - what Pyodide asks for itself
 * @param {{code: WebAssembly.Module, contents: Uint8Array}} parts - the library, and all files one after another
 * @param {{library: string, files: [string, number][]}} where - the library's path; the files' paths and sizes
 */
export const createModule = (create, settings, { code, contents }, { library, files }) => {
  settings.preRun.push((module) => {
    const folders = new Set(files.map(([path]) => path.slice(0, path.lastIndexOf("/"))));
    for (const folder of folders) module.FS.mkdirTree(folder);
    let start = 0;
    for (const [path, size] of files) {
      module.FS.writeFile(path, contents.subarray(start, start + size), { canOwn: true });
      start += size;
    }
    const loaded = module.newDSO(library, undefined, "loading");
    loaded.global = false;
    loaded.exports = module.loadWebAssemblyModule(code, { allowUndefined: true }, library, {});
  });
  return create(settings);
};

/** Runs Python code without a trace in the variables of a page's scripts. */
export const runApart = (pyodide, code) =>
  pyodide.runPython(`exec(${JSON.stringify(code)}, {"__name__": "nextauth_py.bundle"})`);
