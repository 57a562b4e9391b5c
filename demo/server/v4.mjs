// NextAuth v4, as Next.js's pages router runs it, on express.

import { UnstorageAdapter } from "@auth/unstorage-adapter";
import cookieParser from "cookie-parser";
import express from "express";
import nextAuth from "next-auth";
import credentialsProvider from "next-auth/providers/credentials";
import emailProvider from "next-auth/providers/email";
import { createStorage } from "unstorage";

import { authorize, fields, jwt, session, signIn } from "./users.mjs";

// CommonJS compiled from TypeScript: the function is one step further in.
const [NextAuth, Credentials, Email] = [nextAuth, credentialsProvider, emailProvider].map(
  (/** @type {any} */ module) => module.default,
);

/**
 * Handlers for the routes under `basePath`; NEXTAUTH_URL must name that path too.
 *
 * @param {any} options - as of `createApp`
 */
export function v4({ secret, maxAge, strategy, pages, services }) {
  const options = {
    secret,
    session: { strategy, maxAge },
    pages,
    adapter: UnstorageAdapter(createStorage()), // in memory
    providers: [Credentials({ name: "Password", credentials: fields, authorize }), ...more(services)],
    callbacks: { signIn, jwt, session },
    logger: { error: (code, metadata) => console.error(code, metadata?.message ?? ""), warn() {}, debug() {} },
  };
  const handle = (request, response) => {
    // Where Next's router would put the route's segments.
    request.query.nextauth = request.path.split("/").filter(Boolean);
    return NextAuth(request, response, options);
  };
  return [express.urlencoded({ extended: false }), cookieParser(), handle];
}

/** Sign-in by e-mail, and at the identity provider. */
function more(services) {
  if (!services) return [];
  const { smtp, issuer, client } = services;
  const oidc = {
    id: "local-oidc",
    name: "Local OIDC",
    type: "oauth",
    idToken: true,
    wellKnown: `${issuer}/.well-known/openid-configuration`,
    ...client,
    authorization: { params: { scope: "openid email profile" } },
    checks: ["pkce", "state"],
    profile: ({ sub, name, email }) => ({ id: sub, name, email }),
  };
  return [Email({ server: smtp, from: "demo@example.com" }), oidc];
}
