// Bundles the page twice, with next-auth v4's client and with v5's: dist/v4.js, dist/v5.js. And axe and MicroPython, as they are.

import { copyFile } from "node:fs/promises";

import { build } from "esbuild";

const undefinedInBrowsers = ["NEXTAUTH_URL", "NEXTAUTH_URL_INTERNAL", "VERCEL_URL", "AUTH_URL"];

for (const generation of ["v4", "v5"]) {
  await build({
    entryPoints: ["peer.jsx"],
    outfile: `dist/${generation}.js`,
    bundle: true,
    minify: true,
    format: "esm",
    jsx: "automatic",
    alias: { "next-auth/react": `next-auth-${generation}/react` },
    define: {
      "process.env.NODE_ENV": '"production"',
      ...Object.fromEntries(undefinedInBrowsers.map((name) => [`process.env.${name}`, "undefined"])),
    },
  });
}

for (const file of ["micropython.mjs", "micropython.wasm"]) {
  await copyFile(`node_modules/@micropython/micropython-webassembly-pyscript/${file}`, `dist/${file}`);
}
await copyFile("node_modules/axe-core/axe.min.js", "dist/axe.js");
