// Makes __ENV_FILE__ from .env.example, with a new secret. A clone of this site needs it: Git does not keep that file.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const envFile = "__ENV_FILE__";

if (existsSync(envFile)) {
  console.log(`${envFile} is there already; nothing was changed.`);
} else {
  const secret = randomBytes(32).toString("base64url");
  const text = readFileSync(".env.example", "utf8").replace(/^AUTH_SECRET=$/m, `AUTH_SECRET=${secret}`);
  writeFileSync(envFile, text, { mode: 0o600 }); // only you may read it
  console.log(`${envFile} is made, with a new secret. Set TRY_USERS=yes there to sign in as alice or bob.`);
}
