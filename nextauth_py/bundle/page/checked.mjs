// Bytes that are used only if they are what the bundle was made of. Pages import this, and run it as a worker too.

const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

/**
 * The bytes; if they are code, the module. That is compiled while its hash is computed, and nothing of it runs.
 *
 * @param {ArrayBuffer} content
 * @param {{name: string, size: number, hash: string, isCode: boolean}} part - what the bundle says of it
 * @throws {Error} It is something else.
 */
export const checked = async (content, { name, size, hash, isCode }) => {
  const { subtle } = crypto; // pages without TLS have none, and no cache storage
  const compiling = isCode && WebAssembly.compile(content);
  if (isCode) compiling.catch(() => {}); // the error is that it is something else
  const isRight = content.byteLength === size && (!subtle || base64(await subtle.digest("SHA-256", content)) === hash);
  if (!isRight) throw new Error(`${name} is not the one of this bundle`);
  return isCode ? compiling : content;
};

/** @type {any} In a worker. */
const page = globalThis;

/** Answers a page with what is kept at an address; with nothing if that cannot be used, or not here. */
const answer = async ({ data: { address, part } }) => {
  try {
    const response = await (await caches.open("nextauth_py")).match(address);
    if (!response) return page.postMessage({ address });
    const content = await checked(await response.arrayBuffer(), part);
    page.postMessage({ address, content }, part.isCode ? [] : [content]);
  } catch {
    page.postMessage({ address });
  }
};

if (import.meta.url.endsWith("#worker")) globalThis.onmessage = answer;
