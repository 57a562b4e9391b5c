// Chance, the clock and the machine, as they are while a snapshot is made: the same for all builds of the same sources.
// A snapshot is a public file, so nothing in it was ever a secret, and `reseed.py` renews in each page what has to be.

import crypto from "node:crypto";

const NOW = Date.UTC(2025, 0, 1); // any time will do

/** @param {string} seed - what numbers are drawn from that pages do not draw again, such as the hashes of strings */
export const beTheSameEverywhere = (seed) => {
  const key = crypto.createHash("sha256").update(seed).digest();
  const stream = crypto.createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const fill = (view) => {
    const bytes = stream.update(Buffer.alloc(view.byteLength));
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes);
    return view;
  };
  Object.assign(crypto, { randomFillSync: fill });
  Object.assign(crypto.webcrypto, { getRandomValues: fill });
  Math.random = () => fill(new Uint32Array(1))[0] / 2 ** 32;

  globalThis.Date = /** @type {any} */ (
    class extends Date {
      constructor(...values) {
        super(.../** @type {[]} */ (values.length ? values : [NOW]));
      }
      static now = () => NOW;
    }
  );
  performance.now = () => 0;

  process.env.TZ = "UTC";
  Object.defineProperty(navigator, "language", { value: "en-US" });
};
