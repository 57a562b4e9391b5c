// Starts a server on a free port and says where: one line of JSON on standard output.

import { randomBytes } from "node:crypto";
import http from "node:http";

const attempts = 20; // ports to try above the one asked for

/** Serves the app that `createApp` makes of the options in the first argument, JSON as `demo/serve.py` writes it. */
export function serve(createApp) {
  const { port = 0, basePath = "/api/auth", ...options } = JSON.parse(process.argv[2] ?? "{}");
  const server = http.createServer();
  const listen = (number, left) => {
    server.once("error", (error) => {
      if (error.code !== "EADDRINUSE" || !left) throw error;
      listen(number + 1, left - 1);
    });
    server.listen(number, "127.0.0.1");
  };
  server.once("listening", () => {
    const url = `http://localhost:${server.address().port}`;
    process.env.NEXTAUTH_URL = url + basePath;
    server.on("request", createApp({ basePath, secret: randomBytes(32).toString("hex"), ...options }));
    console.log(JSON.stringify({ url }));
  });
  listen(port, attempts);
  // Whoever started this process holds its standard input: when that is gone, so are they.
  process.stdin.resume().on("end", () => process.exit());
  process.on("SIGTERM", () => process.exit());
}
