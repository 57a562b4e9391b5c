// The site: the auth routes, then the files in public/.

import { ExpressAuth, getSession } from "@auth/express";
import compression from "compression";
import express from "express";

import { authOptions } from "./auth.mjs";

const base = "__BASE_PATH__"; // of the whole site, as "/shop"; "" for none. Also in <html> and <script> of the pages.
const authPath = `${base}/auth`;

const policy = {
  "default-src": "'self'",
  "script-src": "'self' 'wasm-unsafe-eval'", // the second one lets Python start, and no JavaScript
  "style-src": "'self'",
  "connect-src": "'self'",
  "img-src": "'self' data:",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'self'",
  "frame-ancestors": "'none'",
};
const headers = {
  "Content-Security-Policy": Object.entries(policy)
    .map((directive) => directive.join(" "))
    .join("; "),
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

// The bundle's files that have a hash of their contents in their path never change. All others are asked for again,
// and answered with "not modified".
const unchanging = /\/py\/(?:pyodide\/[0-9a-f]{8}\/|pyscript\/.*-[\w-]{8}\.js$|.*\.whl$)/;

// These have been compressed when the bundle was built.
const isCompressed = /\.(?:bin|whl|zip)$/;

const options = authOptions(authPath, base);
const app = express();
app.disable("x-powered-by");
app.set("trust proxy", process.env.TRUST_PROXY === "yes");
app.use(
  compression({
    filter: (request, response) => !isCompressed.test(request.path) && compression.filter(request, response),
  }),
);
app.use((_request, response, next) => {
  response.set(headers);
  next();
});
app.use(authPath, ExpressAuth(options));

// An example of data for members: what the server gives away, it has checked itself.
app.get(`${base}/api/me`, async (request, response) => {
  const session = await getSession(request, options);
  response.set("Cache-Control", "private, no-store");
  if (session) response.json({ name: session.user.name });
  else response.status(401).json({ message: "Nobody is signed in." });
});

app.use(
  base || "/",
  express.static("public", {
    extensions: ["html"], // /members is members.html
    setHeaders(response, path) {
      const isUnchanging = unchanging.test(path.replaceAll("\\", "/"));
      response.set("Cache-Control", isUnchanging ? "public, max-age=31536000, immutable" : "no-cache");
      if (path.endsWith(".py")) response.type("text/x-python; charset=utf-8");
    },
  }),
);

const { PORT = "3000", HOST = "localhost" } = process.env;
const server = app.listen(Number(PORT), HOST, (error) => {
  if (error?.code === "EADDRINUSE") {
    console.error(`Port ${PORT} is in use by another program. Choose another one: PORT in .env.`);
    process.exit(1);
  }
  if (error) throw error;
  console.log(`The site is at http://localhost:${server.address().port}${base}/`);
});
