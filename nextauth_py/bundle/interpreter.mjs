// PyScript's `interpreter`: Python as it was when this bundle was made, instead of one that begins at nothing. Whatever
// stands in the way of that, be it a file, the line or the browser, Pyodide boots in the ordinary way.

import { createModule, runApart } from "./preload.mjs";
import { loadPyodide as boot, version } from "./pyodide.mjs";

export { version };

const bundle = {}; // `nextauth-py bundle` puts here what it has made

const { snapshot } = bundle;
const folder = new URL("./", import.meta.url).href;

/** What may fail before anybody waits for it. */
const quiet = (promise) => {
  promise.catch(() => {});
  return promise;
};

const load = async (name) => {
  const response = await fetch(folder + name);
  if (!response.ok) throw new Error(`${response.status} for ${name}`);
  return response;
};

const bytes = async (stream, size) => {
  const read = new Uint8Array(await new Response(stream).arrayBuffer());
  if (read.length !== size) throw new Error(`${read.length} bytes instead of ${size}`);
  return read;
};

/** On a slow line, what the ordinary boot needs is here sooner than a snapshot. */
const isSlow = () => {
  const { saveData, effectiveType = "4g" } = navigator.connection ?? {};
  return saveData || effectiveType !== "4g";
};

// The memory is kept inflated, because to inflate it takes longer than all the rest.
const memoryURL = snapshot && folder + snapshot.name;
const cached = async () => (await caches.open("nextauth_py")).match(memoryURL);

const keep = async (memory) => {
  const cache = await caches.open("nextauth_py");
  for (const { url } of await cache.keys()) {
    if (url.startsWith(folder)) await cache.delete(url); // an earlier bundle's, or a damaged one
  }
  await cache.put(memoryURL, new Response(memory));
};

const download = async () => {
  if (isSlow()) throw new Error("the line is slow");
  const { body } = await load(snapshot.name);
  const memory = await bytes(body.pipeThrough(new DecompressionStream("gzip")), snapshot.size);
  const later = globalThis.requestIdleCallback ?? setTimeout;
  later(() => keep(memory).catch(() => {})); // a page may have no room, or none that lasts
  return memory;
};

const readMemory = async () => {
  const kept = await cached().catch(() => undefined); // a page may have no cache
  const memory = kept && (await bytes(kept.body, snapshot.size).catch(() => undefined));
  return memory ?? download();
};

/** Makes the memory of a new module that of the snapshot. */
const fill = (module, memory) => {
  if (module.wasmTable.length !== snapshot.table) throw new Error("this browser brings other functions");
  if (module.jspiSupported && !snapshot.suspends) throw new Error("this browser can do more");
  module.growMemory(snapshot.end);
  let from = 0;
  let last = 0;
  for (const [start, size] of snapshot.runs) {
    module.HEAPU8.fill(0, last, start);
    module.HEAPU8.set(memory.subarray(from, (from += size)), start);
    last = start + size;
  }
  module.HEAPU8.fill(0, last, snapshot.end);
  const { loadedLibsByHandle, loadedLibsByName } = module.LDSO;
  for (const handle of snapshot.handles) loadedLibsByHandle[handle] = loadedLibsByName[bundle.library];
};

/** A snapshot has the time zone and the language of the machine that it was made on. */
const renew = (pyodide) => {
  const { HEAPU32, ___timezone, ___daylight, ___tzname, __tzset_js } = pyodide._module;
  const [standard, daylight] = HEAPU32.subarray(___tzname / 4);
  __tzset_js(___timezone, ___daylight, standard, daylight);
  const language = `${(navigator.language ?? "C").replace("-", "_")}.UTF-8`;
  runApart(pyodide, `import nextauth_py_renewal; nextauth_py_renewal.renew(${JSON.stringify(language)})`);
};

const begin = async () => {
  const streams = { stdout: console.log, stderr: console.warn };
  const size = bundle.files.reduce((sum, [, size]) => sum + size, 0);
  const parts = quiet(
    Promise.all([
      import(folder + bundle.module),
      WebAssembly.compileStreaming(load(bundle.code)),
      load(bundle.contents).then(({ body }) => bytes(body, size)),
    ]),
  );
  const memory = snapshot && quiet(readMemory());
  const pyodide = await boot({
    indexURL: folder,
    packageBaseUrl: folder,
    lockFileContents: bundle.lock,
    stdout: (text) => streams.stdout(text),
    stderr: (text) => streams.stderr(text),
    // Only the head of a snapshot, which is Pyodide's business: its memory needs no second copy.
    _loadSnapshot: snapshot && Uint8Array.from(atob(snapshot.head), (byte) => byte.charCodeAt(0)),
    createPyodideModule: async (settings) => {
      const [{ default: create }, code, contents] = await parts;
      const module = await createModule(create, settings, { code, contents }, bundle);
      if (snapshot) fill(module, await memory);
      return module;
    },
  });
  if (snapshot) renew(pyodide);
  else runApart(pyodide, `import sys; sys.path.extend(${JSON.stringify(bundle.path)})`);
  for (const name of bundle.packages) pyodide.loadedPackages[name] = "default channel";
  return { pyodide, streams };
};

// At once: PyScript has other things to load before it asks.
let begun = quiet(begin());

export const loadPyodide = async (options = {}) => {
  const { stdout = console.log, stderr = console.warn, packages = [], indexURL: _, ...others } = options;
  const first = begun;
  begun = undefined;
  try {
    if (Object.keys(others).length) throw new Error(`of ${Object.keys(others)}`);
    const { pyodide, streams } = await (first ?? begin());
    Object.assign(streams, { stdout, stderr });
    await pyodide.loadPackage(packages, { messageCallback() {} });
    return pyodide;
  } catch (error) {
    console.debug(`nextauth_py: Python boots from nothing: ${error.message}`);
    return boot({ ...options, indexURL: folder });
  }
};
