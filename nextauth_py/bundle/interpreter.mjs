// PyScript's `interpreter`: Python as it was when this bundle was made, instead of one that begins at nothing. Whatever
// stands in the way of that, be it a file, the line or the browser, Pyodide boots in the ordinary way.

import { createModule, runApart } from "./preload.mjs";
import { loadPyodide as boot, loadWith, version } from "./pyodide.mjs";

export { version };

const bundle = {}; // `nextauth-py bundle` puts here what it has made

const { parts, snapshot } = bundle;
const folder = new URL("./", import.meta.url).href;

/** What may fail before anybody waits for it. */
const quiet = (promise) => {
  promise.catch(() => {});
  return promise;
};

// --- files ---

// Big files are compressed, whatever the web server does. They are kept inflated, because to inflate the memory takes
// longer than all the rest.
const cache = (async () => caches.open("nextauth_py"))().catch(() => null); // a page may have none
const addressOf = ({ name }) => `${folder}${name}?inflated`;
const asCode = { headers: { "content-type": "application/wasm" } };
const fresh = new Map(); // what has been fetched and is not kept yet, by address

const kept = async (part) => (await cache)?.match(addressOf(part));

const inflated = async ({ name }) => {
  const response = await fetch(folder + name);
  if (!response.ok) throw new Error(`${response.status} for ${name}`);
  return response.body.pipeThrough(new DecompressionStream("gzip"));
};

const fetched = async (part) => {
  if (!(await cache)) return new Response(await inflated(part), asCode);
  const [now, later] = (await inflated(part)).tee();
  fresh.set(addressOf(part), later);
  return new Response(now, asCode);
};

const open = async (part) => (await kept(part)) ?? fetched(part);

const bytes = async (response, { name, size }) => {
  const read = new Uint8Array(await response.arrayBuffer());
  if (read.length !== size) throw new Error(`${read.length} bytes instead of ${size} in ${name}`);
  return read;
};

/** An earlier bundle's files; all, if one may be damaged. */
const forget = async (isOver = () => true) => {
  const store = await cache;
  for (const { url } of (await store?.keys()) ?? []) if (url.startsWith(folder) && isOver(url)) await store.delete(url);
};

/** How fast the line has been so far, at best, in bytes per millisecond; 0 if all came from a cache. */
const speed = () => {
  const files = performance.getEntriesByType("resource").filter(({ transferSize }) => transferSize > 20_000);
  return Math.max(0, ...files.map((file) => file.encodedBodySize / (file.responseEnd - file.responseStart)));
};
// As it looks from the first files, which come before a line is up to speed: about 80 Mbit/s. Below, Python has booted
// before a snapshot is here.
const FAST = 6_000;

/** The memory of the snapshot; none where it would take too long to get it. */
const findMemory = async () => {
  const response = (await kept(parts.snapshot)) ?? (speed() >= FAST ? await fetched(parts.snapshot) : null);
  return response && { memory: quiet(bytes(response, parts.snapshot)) };
};

/** For the next visit, without a hurry; and no memory is fetched where each byte costs. */
const prepareNext = async (hasMemory) => {
  const store = await cache;
  if (!store) return;
  const bodies = [...fresh];
  fresh.clear(); // even if there is no room for them
  const current = new Set(Object.values(parts).map(addressOf));
  await forget((url) => !current.has(url));
  for (const [address, body] of bodies) await store.put(address, new Response(body, asCode));
  const { saveData, effectiveType = "4g" } = navigator.connection ?? {};
  if (!snapshot || hasMemory || saveData || effectiveType !== "4g") return;
  await store.put(addressOf(parts.snapshot), new Response(await inflated(parts.snapshot)));
};
const whenIdle = globalThis.requestIdleCallback ?? setTimeout;

// --- Python ---

const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Answers Pyodide, which fetches its files by itself, and says little of it if they are not right. */
const answerWith = (stdlib) => (url, options) => {
  switch (url.href.slice(folder.length)) {
    case bundle.replaced.stdlib:
      return stdlib.then((content) => new Response(content), () => new Response());
    case bundle.replaced.pyodide:
      return Promise.resolve(new Response(EMPTY_MODULE, asCode));
    default:
      return fetch(url, options);
  }
};

/** Has Pyodide's imports, which it adds on the way, and an empty module go to code that is compiled already. */
const instantiating = (settings, code) =>
  new Promise((_, reject) => {
    const { instantiateWasm } = settings;
    settings.instantiateWasm = (imports, done) =>
      instantiateWasm(imports, () => {
        WebAssembly.instantiate(code, imports).then((instance) => done(instance, code), reject);
      });
  });

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
  const stdlib = parts.stdlib && quiet(open(parts.stdlib).then((response) => bytes(response, parts.stdlib)));
  const loading = quiet(
    Promise.all([
      import(folder + bundle.module),
      WebAssembly.compileStreaming(open(parts.code)),
      open(parts.contents).then((response) => bytes(response, parts.contents)),
      parts.pyodide && WebAssembly.compileStreaming(open(parts.pyodide)),
      stdlib,
    ]),
  );
  const finding = quiet(snapshot ? findMemory() : Promise.resolve(null));
  let memory;
  loadWith(answerWith(stdlib));
  const pyodide = await boot({
    indexURL: folder,
    packageBaseUrl: folder,
    lockFileContents: bundle.lock,
    stdout: (text) => streams.stdout(text),
    stderr: (text) => streams.stderr(text),
    // Only the head of a snapshot, which is Pyodide's business: its memory needs no second copy.
    _loadSnapshot: snapshot && Uint8Array.from(atob(snapshot.head), (byte) => byte.charCodeAt(0)),
    createPyodideModule: async (settings) => {
      const [{ default: create }, code, contents, own] = await loading;
      memory = (await finding)?.memory;
      settings.noInitialRun = Boolean(memory);
      const failing = own ? [instantiating(settings, own)] : [];
      const module = await Promise.race([createModule(create, settings, { code, contents }, bundle), ...failing]);
      if (memory) fill(module, await memory);
      else module.API.restoreSnapshot = () => undefined;
      return module;
    },
  });
  if (memory) renew(pyodide);
  else runApart(pyodide, `import sys; sys.path.append(${JSON.stringify(bundle.folder)})`);
  whenIdle(() => prepareNext(Boolean(memory)).catch(() => {})); // a page may have no room, or none that lasts
  for (const name of bundle.packages) pyodide.loadedPackages[name] = "default channel";
  return { pyodide, streams };
};

// At once: PyScript has other things to load before it asks.
let begun = quiet(begin());

export const loadPyodide = async (options = {}) => {
  const { stdout = console.log, stderr = console.warn, packages = [], indexURL: _, ...others } = options;
  const ordinarily = () => {
    loadWith(fetch);
    return boot({ ...options, indexURL: folder });
  };
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
    fresh.clear();
    quiet(forget());
    return ordinarily();
  }
};
