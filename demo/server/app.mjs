// A real NextAuth v4 server on express, and folders of static files beside it.

import cookieParser from "cookie-parser";
import express from "express";
import nextAuth from "next-auth";
import credentials from "next-auth/providers/credentials";

// CommonJS compiled from TypeScript: the function is one step further in.
const NextAuth = nextAuth.default;
const Credentials = credentials.default;

// The demo's pages name them, so that a visitor can sign in.
const users = {
  alice: { password: "wonder", name: "Alice Liddell", email: "alice@example.com" },
  bob: { password: "builder", name: "Bob", email: "bob@example.com" },
};

/**
 * @param {object} options
 * @param {string} options.secret - signs the cookies
 * @param {Record<string, string>} options.mounts - URL path to folder, for static files
 * @param {string} [options.basePath] - where the auth routes are; NEXTAUTH_URL must say the same
 * @param {number} [options.maxAge] - seconds that a session lasts
 * @param {import("express").RequestHandler[]} [options.middleware] - runs before the auth routes
 */
export function createApp({ secret, mounts, basePath = "/api/auth", maxAge = 30 * 24 * 60 * 60, middleware = [] }) {
  const app = express();
  app.disable("x-powered-by");
  app.use(basePath, express.json(), express.urlencoded({ extended: false }), cookieParser());
  for (const handler of middleware) app.use(handler);
  app.use(basePath, (request, response) => {
    // Where Next's router would put the route's segments.
    request.query.nextauth = request.path.split("/").filter(Boolean);
    return NextAuth(request, response, authOptions({ secret, maxAge }));
  });
  for (const [path, folder] of Object.entries(mounts)) app.use(path, express.static(folder, { setHeaders }));
  return app;
}

function authOptions({ secret, maxAge }) {
  return {
    secret,
    session: { strategy: "jwt", maxAge },
    providers: [
      Credentials({
        name: "Password",
        credentials: { username: { label: "User" }, password: { label: "Password", type: "password" } },
        authorize,
      }),
    ],
    callbacks: { jwt, session },
    logger: { error: (code, metadata) => console.error(code, metadata?.message ?? ""), warn() {}, debug() {} },
  };
}

function authorize({ username, password }) {
  if (username === "boom") throw new Error("The user database is on fire");
  const user = Object.hasOwn(users, username) ? users[username] : null;
  if (user?.password !== password) return null;
  return { id: username, name: user.name, email: user.email };
}

function jwt({ token, trigger, session }) {
  if (trigger !== "update" || !session) return token;
  const { name = token.name, theme = token.theme } = session;
  return { ...token, name, theme };
}

function session({ session, token }) {
  session.user.id = token.sub;
  session.user.name = token.name; // NextAuth fills it in before an update reaches the token
  if (token.theme) session.theme = token.theme;
  return session;
}

function setHeaders(response, path) {
  if (path.endsWith(".py")) response.type("text/x-python; charset=utf-8");
  // A wheel's name changes with its content; all else is asked for again, and usually answered with 304.
  const forever = path.endsWith(".whl");
  response.set("Cache-Control", forever ? "public, max-age=31536000, immutable" : "no-cache");
}
