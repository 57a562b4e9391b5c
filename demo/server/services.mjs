// What sign-ins without a password need: a real OpenID Connect provider, and an SMTP server that keeps its mail.

import { randomBytes } from "node:crypto";
import http from "node:http";

import { Provider } from "oidc-provider";
import { SMTPServer } from "smtp-server";

/**
 * Starts both on free ports.
 * @param {string} callback - where the provider sends users back to
 * @returns {Promise<{issuer: string, client: object, smtp: object, mails: object[]}>}
 */
export async function startServices(callback) {
  const client = { clientId: "demo", clientSecret: randomBytes(24).toString("hex") };
  const mails = [];
  const smtp = { host: "127.0.0.1", port: await startMail(mails), secure: false, ignoreTLS: true };
  return { issuer: await startProvider(callback, client), client, smtp, mails };
}

async function startProvider(callback, { clientId, clientSecret }) {
  const server = http.createServer();
  const issuer = `http://localhost:${await listen(server)}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [callback] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false, // name and e-mail go into the id token
    features: { devInteractions: { enabled: true } }, // its own login and consent pages: any name will do
    cookies: { keys: [randomBytes(24).toString("hex")] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => claims(id) }),
  });
  provider.use(withoutFonts);
  server.on("request", provider.callback());
  return issuer;
}

/** The provider's own pages would load a font from elsewhere; nothing here leaves the machine. */
async function withoutFonts(context, next) {
  await next();
  if (typeof context.body === "string") context.body = context.body.replace(/@import url\([^)]*\);?/g, "");
}

const claims = (id) => ({ sub: id, name: `OIDC ${id}`, email: `${id}@oidc.example.com`, email_verified: true });

function startMail(mails) {
  return listen(
    new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS", "AUTH"],
      async onData(stream, { envelope }, done) {
        const text = (await stream.toArray()).join("");
        mails.push({ to: envelope.rcptTo.map(({ address }) => address), text });
        done();
      },
    }),
  );
}

/** The free port that a server listens on. */
function listen(server) {
  return new Promise((resolve) => {
    const { server: inner = server } = server; // an SMTPServer holds the one with the address
    server.listen(0, "127.0.0.1", () => resolve(inner.address().port));
  });
}
