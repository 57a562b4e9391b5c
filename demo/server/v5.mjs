// Auth.js v5 on express.

import { CredentialsSignin } from "@auth/core/errors";
import Credentials from "@auth/core/providers/credentials";
import Nodemailer from "@auth/core/providers/nodemailer";
import Passkey from "@auth/core/providers/passkey";
import { ExpressAuth } from "@auth/express";
import { UnstorageAdapter } from "@auth/unstorage-adapter";
import { createStorage } from "unstorage";

import { authorize, fields, jwt, session, signIn } from "./users.mjs";

/**
 * A handler for the routes under `${basePath}/*`.
 *
 * @param {any} options - as of `createApp`
 */
export function v5({ secret, maxAge, strategy, pages, services, passkeys }) {
  const adapter = UnstorageAdapter(createStorage()); // in memory
  const enter = (credentials) => authorizeOrLock(credentials, passkeys && adapter);
  return ExpressAuth({
    secret,
    trustHost: true,
    session: { strategy, maxAge },
    pages,
    adapter,
    providers: [
      Credentials({ name: "Password", credentials: fields, authorize: enter }),
      ...more(services),
      ...(passkeys ? [passkey] : []),
    ],
    experimental: { enableWebAuthn: passkeys },
    callbacks: { signIn, jwt, session },
    logger: { error: (error) => console.error(error.name, error.message), warn() {}, debug() {} },
  });
}

class LockedOut extends CredentialsSignin {
  code = "locked_out";
}

/** Shows what v5 can say besides no: a code of one's own. */
async function authorizeOrLock(credentials, adapter) {
  if (credentials.username === "locked") throw new LockedOut();
  const user = authorize(credentials);
  // Auth.js keeps nobody who signs in by password, and adds passkeys only to whom the database knows.
  if (user && adapter) await adapter.updateUser(user);
  return user;
}

// Not on Auth.js's sign-in page, which would load a script from elsewhere for it.
const passkey = Passkey({ enableConditionalUI: false, formFields: undefined });

/** Sign-in by e-mail, and at the identity provider. */
function more(services) {
  if (!services) return [];
  const { smtp, issuer, client } = services;
  const style = { logo: "data:," }; // else the sign-in page would fetch a picture from elsewhere
  const checks = ["pkce", "state"];
  const oidc = { id: "local-oidc", name: "Local OIDC", type: "oidc", issuer, ...client, checks, style };
  return [Nodemailer({ id: "email", server: smtp, from: "demo@example.com" }), oidc];
}
