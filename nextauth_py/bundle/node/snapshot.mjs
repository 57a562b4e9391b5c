// Boots Pyodide as a page would, rehearses, and keeps what comes of it: node snapshot.mjs FOLDER
// It has a plan.json and the files to boot with; PyScript's compiled modules go there, and the memory if wanted.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createModule, runApart } from "../page/preload.mjs";
import { beTheSameEverywhere } from "./same_everywhere.mjs";

// Not as Node tells it, with the line of Pyodide's source, which is a megabyte.
process.on("uncaughtException", (error) => {
  console.error(error.stack ?? error);
  process.exit(1);
});

const [out] = process.argv.slice(2);
process.argv[1] = "./this.program"; // as in a page: Python remembers it
const plan = JSON.parse(readFileSync(`${out}/plan.json`, "utf8"));
const { pyodide: folder, sources, stage, rehearsal, bundle, snapshot } = plan;
beTheSameEverywhere(JSON.stringify([bundle, stage, rehearsal]));
const load = (path) => import(pathToFileURL(path).href);

const { loadPyodide } = await load(`${folder}/pyodide.mjs`);
const { default: create } = await load(`${folder}/${bundle.module}`);
const { default: pyscript } = await load(sources);

const parts = {
  code: await WebAssembly.compile(readFileSync(`${out}/code`)),
  contents: readFileSync(`${out}/contents`),
};
/** @type {any} Emscripten's. */
let module;
const pyodide = await loadPyodide({
  indexURL: folder,
  lockFileContents: bundle.lock,
  _makeSnapshot: true,
  createPyodideModule: async (settings) => (module = await createModule(create, settings, parts, bundle)),
});

/** Files and folders as PyScript writes them: nested objects, with texts at the ends. */
const write = (folder, tree) => {
  pyodide.FS.mkdirTree(folder);
  for (const [name, content] of Object.entries(tree)) {
    if (typeof content === "string") pyodide.FS.writeFile(`${folder}/${name}`, content);
    else write(`${folder}/${name}`, content);
  }
};
const copy = (from, to) => {
  const { FS } = pyodide;
  if (!FS.isDir(FS.stat(from).mode)) return writeFileSync(to, FS.readFile(from));
  mkdirSync(to, { recursive: true });
  for (const name of FS.readdir(from).filter((name) => !/^\.\.?$/.test(name))) copy(`${from}/${name}`, `${to}/${name}`);
};

write("/rehearsal", { home: pyscript, ...stage });
runApart(pyodide, `import sys; sys.path.append(${JSON.stringify(bundle.folder)})`);
runApart(pyodide, rehearsal);
copy("/rehearsal/compiled", `${out}/compiled`);
if (snapshot) {
  const opened = Object.entries(module.LDSO.loadedLibsByHandle).filter(([, { name }]) => name === bundle.library);
  const state = {
    handles: opened.map(([handle]) => Number(handle)),
    table: module.wasmTable.length,
    suspends: module.jspiSupported,
  };
  writeFileSync(`${out}/state.json`, JSON.stringify(state));
  writeFileSync(`${out}/snapshot.bin`, pyodide.makeMemorySnapshot());
}
