// Runs before the site starts (see package.json), and says what is missing.

import { existsSync } from "node:fs";

const envFile = "__ENV_FILE__";

if (existsSync(envFile)) process.loadEnvFile(envFile);
if (!process.env.AUTH_SECRET) {
  const problem = existsSync(envFile)
    ? `AUTH_SECRET is empty in ${envFile}. Give it 32 random bytes, or delete the file and run: npm run setup`
    : `${envFile} is missing: Git does not keep it, because it has secrets. Run: npm run setup`;
  console.error(problem);
  process.exit(1);
}
if (!existsSync("public/py/pyscript.json")) {
  console.warn("public/py is missing: pages have no Python and stay empty. Run: npm run bundle");
}
