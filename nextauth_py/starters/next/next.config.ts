import type { NextConfig } from "next";

import { base } from "./site";

// These files of the bundle have a hash of their contents in their path, so they never change. Next.js has browsers ask
// for all other files of public/ again.
const unchanging = [
  "/py/pyodide/:hash([0-9a-f]{8})/:file",
  "/py/pyodide/:file(.+\\.whl)",
  "/py/pyscript/:file(.+-[\\w-]{8}\\.js)",
];

const config: NextConfig = {
  basePath: base,
  poweredByHeader: false,
  async headers() {
    return [
      ...unchanging.map((source) => ({
        source,
        headers: [{ key: "Cache-Control", value: "public, max-age=31536000, immutable" }],
      })),
      {
        source: "/:path*",
        headers: [
          { key: "Referrer-Policy", value: "same-origin" },
          { key: "X-Content-Type-Options", value: "nosniff" },
        ],
      },
    ];
  },
};

export default config;
