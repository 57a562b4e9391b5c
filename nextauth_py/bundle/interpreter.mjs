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

const later = globalThis.requestIdleCallback ?? setTimeout;
const openCache = () => caches.open("nextauth_py");

// The memory is kept inflated, because to inflate it takes longer than all the rest.
const compressedURL = snapshot && folder + snapshot.name;
const memoryURL = `${compressedURL}?inflated`;

/** Whatever is kept: an earlier bundle's, a compressed one, a damaged one. */
const forget = async () => {
  const cache = await openCache();
  for (const { url } of await cache.keys()) if (url.startsWith(folder)) await cache.delete(url);
};

const keep = async (memory) => {
  await forget();
  await (await openCache()).put(memoryURL, new Response(memory));
};

const inflate = ({ body }) => bytes(body.pipeThrough(new DecompressionStream("gzip")), snapshot.size);

/** How fast the line has been so far, at best, in bytes per millisecond; 0 if all came from a cache. */
const speed = () => {
  const files = performance.getEntriesByType("resource").filter(({ transferSize }) => transferSize > 20_000);
  return Math.max(0, ...files.map((file) => file.encodedBodySize / (file.responseEnd - file.responseStart)));
};
const FAST = 2_500; // 20 Mbit/s: below, Python has booted before a snapshot is here

/** The memory of the snapshot, and whether it is new here; none where it would take too long to get it. */
const findMemory = async () => {
  const cache = await openCache().catch(() => null); // a page may have none
  const kept = await cache?.match(memoryURL);
  if (kept) return { memory: quiet(bytes(kept.body, snapshot.size)) };
  const compressed = await cache?.match(compressedURL);
  if (compressed) return { memory: quiet(inflate(compressed)), isNew: true };
  return speed() >= FAST ? { memory: quiet(load(snapshot.name).then(inflate)), isNew: true } : {};
};

/** For the next visit, without a hurry; and nothing is fetched where each byte costs. */
const prepareNext = async ({ memory, isNew }) => {
  const { saveData, effectiveType = "4g" } = navigator.connection ?? {};
  if (isNew) await keep(await memory);
  else if (!memory && !saveData && effectiveType === "4g") await (await openCache()).add(compressedURL);
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
  const finding = snapshot ? quiet(findMemory()) : {};
  let memory;
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
      memory = (await finding).memory;
      settings.noInitialRun = Boolean(memory);
      const module = await createModule(create, settings, { code, contents }, bundle);
      if (memory) fill(module, await memory);
      else module.API.restoreSnapshot = () => undefined;
      return module;
    },
  });
  if (memory) renew(pyodide);
  else runApart(pyodide, `import sys; sys.path.extend(${JSON.stringify(bundle.path)})`);
  const found = await finding;
  if (snapshot) later(() => prepareNext(found).catch(() => {})); // a page may have no room, or none that lasts
  for (const name of bundle.packages) pyodide.loadedPackages[name] = "default channel";
  return { pyodide, streams };
};

// At once: PyScript has other things to load before it asks.
let begun = quiet(begin());

export const loadPyodide = async (options = {}) => {
  const { stdout = console.log, stderr = console.warn, packages = [], indexURL: _, ...others } = options;
  const ordinarily = () => boot({ ...options, indexURL: folder });
  if (Object.keys(others).length) return ordinarily();
  const first = begun;
  begun = undefined;
  try {
    const { pyodide, streams } = await (first ?? begin());
    Object.assign(streams, { stdout, stderr });
    await pyodide.loadPackage(packages, { messageCallback() {} });
    return pyodide;
  } catch (error) {
    console.debug(`nextauth_py: Pyodide's own boot, because ${error.message}`);
    quiet(forget());
    return ordinarily();
  }
};
