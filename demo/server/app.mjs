// A real NextAuth server, v4 or v5, on express, and folders of static files beside it.

import compression from "compression";
import cors from "cors";
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";

import { switches } from "./switches.mjs";
import { v4 } from "./v4.mjs";
import { v5 } from "./v5.mjs";

/**
 * @param {object} options
 * @param {string} options.secret - signs the cookies
 * @param {Record<string, string>} options.mounts - URL path to folder, for static files
 * @param {string} options.basePath - where the auth routes are
 * @param {"v4" | "v5"} [options.generation] - of NextAuth
 * @param {"jwt" | "database"} [options.strategy] - where sessions are kept
 * @param {number} [options.maxAge] - seconds that a session lasts
 * @param {{signIn?: string}} [options.pages] - the site's own pages instead of NextAuth's
 * @param {string} [options.publicUrl] - what the server takes for its own origin; NEXTAUTH_URL must name it too
 * @param {boolean} [options.allowOrigins] - whether pages of other origins may ask, with cookies
 * @param {object} [options.services] - what startServices returned; without it, passwords only
 * @param {boolean} [options.passkeys] - whether v5 offers sign-in by passkey
 * @param {boolean} [options.compresses] - whether answers are compressed
 * @param {boolean} [options.exercises] - whether visitors may have the server fail, and read its mail
 * @param {import("express").RequestHandler[]} [options.middleware] - runs before the auth routes
 * @param {string} [options.behind] - the URL of a server that answers whatever is asked for besides
 */
export function createApp({
  mounts,
  basePath,
  generation = "v4",
  behind,
  publicUrl,
  allowOrigins,
  compresses,
  exercises,
  middleware = [],
  ...options
}) {
  const auth = { strategy: "jwt", maxAge: 30 * 24 * 60 * 60, ...options };
  const app = express();
  app.disable("x-powered-by");
  if (compresses) app.use(compression());
  if (allowOrigins) app.use(basePath, cors({ origin: true, credentials: true }));
  app.use(basePath, express.json());
  if (exercises) app.use(switches(basePath, options.services?.mails));
  for (const handler of middleware) app.use(handler);
  if (publicUrl) app.use(basePath, hostOf(publicUrl));
  if (generation === "v5") app.use(`${basePath}/*`, v5(auth));
  else app.use(basePath, v4(auth));
  for (const [path, folder] of Object.entries(mounts)) app.use(path, express.static(folder, { setHeaders }));
  if (behind) app.use(createProxyMiddleware({ target: behind }));
  return app;
}

/** Names the host that v5 goes by, as a proxy does. */
function hostOf(url) {
  return (request, _response, next) => {
    request.headers.host = new URL(url).host;
    next();
  };
}

function setHeaders(response, path) {
  if (path.endsWith(".py")) response.type("text/x-python; charset=utf-8");
  // What bears a hash in its path never changes; all else is asked for again, and usually answered with 304.
  const forever = /[\\/]pyodide[\\/][0-9a-f]{8}[\\/]|[\\/]pyscript[\\/].*-[\w-]{8}\.js$|\.whl$/.test(path);
  response.set("Cache-Control", forever ? "public, max-age=31536000, immutable" : "no-cache");
}
