// PyScript's `interpreter`: Python as it was when this bundle was made, instead of one that begins at nothing. Whatever
// stands in the way of that, be it a file, the line or the browser, Pyodide boots in the ordinary way.

import { createModule, runApart } from "./preload.mjs";
import { loadPyodide as boot, loadWith, version } from "./pyodide.mjs";

export { version };

/** @type {any} */
const bundle = {}; // `nextauth-py bundle` puts here what it has made

const { parts, snapshot } = bundle;
const folder = new URL("./", import.meta.url).href;

/** What may fail before anybody waits for it. */
const quiet = (promise) => {
  promise.catch(() => {});
  return promise;
};

/** What was thrown, in words; that need not be an error. */
const reasonOf = (thrown) => thrown?.message ?? String(thrown);

// --- files ---

// Big files are compressed, whatever the web server does. They are kept inflated, because inflating the memory takes
// longer than all the rest. Every script of the origin can write to the cache storage, and a proxy can damage a
// download, so both are used only if they have the hash that this module names. Pages without TLS can compute no
// hashes; they have no cache storage either.
const cache = (async () => (crypto.subtle ? caches.open("nextauth_py") : null))().catch(() => null); // may be forbidden
const addressOf = ({ name }) => `${folder}${name}?inflated`;
const fresh = new Map(); // responses that have been fetched and are not kept yet, by address
const script = folder + bundle.checked;

// In pages with Trusted Types, only what a policy has made is an address of a script; without it, the page checks.
const reading = {
  createScriptURL: () => `${script}#worker`,
};
let policy;
const readerURL = () => {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return reading.createScriptURL();
  policy ??= trustedTypes.createPolicy("nextauth_py-worker", reading);
  return policy.createScriptURL("");
};

const startWorker = () => {
  const worker = new Worker(readerURL(), { type: "module" });
  const waiting = new Map();
  /** @param {{address: string, content?: any}} data */
  const answer = ({ address, content }) => {
    waiting.get(address)(content);
    waiting.delete(address);
    if (waiting.size) return;
    worker.terminate();
    reader = null;
  };
  worker.onmessage = ({ data }) => answer(data);
  const fail = (/** @type {Event} */ event) => {
    event.preventDefault();
    for (const address of [...waiting.keys()]) answer({ address });
  };
  worker.onerror = fail;
  worker.onmessageerror = fail;
  return (part) =>
    new Promise((resolve) => {
      const address = addressOf(part);
      waiting.set(address, resolve);
      worker.postMessage({ address, part });
    });
};
let reader = null;

const isKept = async (part) => Boolean(await (await cache)?.match(addressOf(part)));

/** What is kept of a part. A thread of its own reads it, if there can be one: hashes take a tenth of a warm start. */
const kept = async (part) => {
  const response = await (await cache)?.match(addressOf(part));
  if (!response) return null;
  const read = async () => {
    reader ??= startWorker();
    return reader(part);
  };
  const content = await read().catch(() => null);
  if (content) return content;
  const { checked } = await import(script);
  return checked(await response.arrayBuffer(), part);
};

const fetched = async (part, options) => {
  const importing = import(script);
  const response = await fetch(folder + part.name, options);
  if (!response.ok) throw new Error(`${response.status} for ${part.name}`);
  const content = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const made = await (await importing).checked(content, part);
  fresh.set(addressOf(part), new Response(content)); // a copy, because Python may write to its files
  return made;
};

// The last one passes the browser's HTTP cache by, which may be what has damaged the file.
const sources = [kept, fetched, (part) => fetched(part, { cache: "reload" })];

/** The bytes of a part, or the module if it is code. What is not right is thrown away. */
const load = async (part) => {
  let failure;
  for (const source of sources) {
    try {
      const content = await source(part);
      if (content) return content instanceof ArrayBuffer ? new Uint8Array(content) : content;
    } catch (error) {
      failure = error;
      console.debug(`nextauth_py: fetched again, because ${reasonOf(error)}`);
      await (await cache)?.delete(addressOf(part), { ignoreVary: true });
    }
  }
  throw failure;
};

/**
 * Delete what this page's folder has kept; all, if something may be damaged.
 *
 * @param {(url: string) => boolean} [isOver]
 */
const forget = async (isOver = () => true) => {
  const store = await cache;
  for (const { url } of (await store?.keys()) ?? []) {
    if (url.startsWith(folder) && isOver(url)) await store.delete(url, { ignoreVary: true });
  }
};

/** How fast the line has been so far, at best, in bytes per millisecond; 0 if all came from a cache. */
const speed = () => {
  /** @type {any[]} PerformanceResourceTiming */
  const files = performance.getEntriesByType("resource");
  const big = files.filter(({ transferSize }) => transferSize > 20_000);
  return Math.max(0, ...big.map((file) => file.encodedBodySize / (file.responseEnd - file.responseStart)));
};
// As it looks from the first files, which come before a line is up to speed: about 80 Mbit/s. Below, Python has booted
// before a snapshot is here.
const FAST = 6_000;

/** The memory of the snapshot; none where it would take too long to get it. */
const findMemory = async () =>
  speed() >= FAST || (await isKept(parts.snapshot)) ? { memory: quiet(load(parts.snapshot)) } : null;

const keepFresh = async (store) => {
  const responses = [...fresh];
  fresh.clear(); // even if there is no room for them
  for (const [address, response] of responses) await store.put(address, response);
};

/** For the next visit, without a hurry; and no memory is fetched where each byte costs. */
const prepareNext = async (hasMemory) => {
  const store = await cache;
  if (!store) return;
  const current = new Set(Object.values(parts).map(addressOf));
  await forget((url) => !current.has(url));
  await keepFresh(store);
  const { saveData, effectiveType = "4g" } = /** @type {any} */ (navigator).connection ?? {};
  if (!snapshot || hasMemory || saveData || effectiveType !== "4g") return;
  await load(parts.snapshot);
  await keepFresh(store);
};
const whenIdle = typeof requestIdleCallback === "function" ? requestIdleCallback : setTimeout;

// --- Python ---

const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
const asCode = { headers: { "content-type": "application/wasm" } };

/** Answers Pyodide, which fetches its files by itself, and says little of it if they are not right. */
const answerWith = (stdlib) => (url, options) => {
  switch (url.href.slice(folder.length)) {
    case bundle.replaced.stdlib:
      return stdlib.then(
        (content) => new Response(content),
        () => new Response(),
      );
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
    module.HEAPU8.set(memory.subarray(from, from + size), start);
    from += size;
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
  runApart(pyodide, `import nextauth_py_reseed; nextauth_py_reseed.renew(${JSON.stringify(language)})`);
};

const begin = async () => {
  const streams = { stdout: console.log, stderr: console.warn };
  const stdlib = parts.stdlib && quiet(load(parts.stdlib));
  const loading = quiet(
    Promise.all([
      import(folder + bundle.module),
      parts.pyodide && load(parts.pyodide), // first, because it is the largest to compile
      load(parts.code),
      load(parts.contents),
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
      const [{ default: create }, own, code, contents] = await loading;
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
    console.debug(`nextauth_py: Pyodide's own boot, because ${reasonOf(error)}`);
    fresh.clear();
    quiet(forget());
    return ordinarily();
  }
};
