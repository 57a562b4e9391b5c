// Starts a server on a free port and says where: one line of JSON on standard output.

import { randomBytes } from "node:crypto";
import http from "node:http";

import { startServices } from "./services.mjs";

const attempts = 20; // ports to try above the one asked for

/** Serves the app that `createApp` makes of the options in the first argument, JSON as `demo/serve.py` writes it. */
export async function serve(createApp) {
  const { port = 0, basePath = "/api/auth", services, ...options } = JSON.parse(process.argv[2] ?? "{}");
  const server = http.createServer();
  const url = `http://localhost:${await listen(server, port, attempts)}`;
  process.env.NEXTAUTH_URL = process.env.AUTH_URL = (options.publicUrl ?? url) + basePath;
  const secret = randomBytes(32).toString("hex");
  const started = services && (await startServices(`${url}${basePath}/callback/local-oidc`));
  server.on("request", createApp({ basePath, secret, services: started, ...options }));
  console.log(JSON.stringify({ url }));
  // Whoever started this process holds its standard input: when that is gone, so are they.
  process.stdin.resume().on("end", () => process.exit());
  process.on("SIGTERM", () => process.exit());
}

function listen(server, port, left) {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      if (error.code === "EADDRINUSE" && left) resolve(listen(server, port + 1, left - 1));
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });
}
