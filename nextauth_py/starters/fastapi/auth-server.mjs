// The auth server, for app.py alone: visitors reach it through the site.

import { ExpressAuth } from "@auth/express";
import express from "express";

import { authOptions } from "./auth.mjs";

const { hostname, port, pathname } = new URL(process.env.NEXTAUTH_URL_INTERNAL);
const base = pathname.replace(/\/api\/auth$/, ""); // the path of the whole site

const app = express();
app.disable("x-powered-by");
app.set("trust proxy", "loopback"); // which is app.py
app.use(pathname, ExpressAuth({ ...authOptions(pathname, base), trustHost: true }));
app.listen(Number(port), hostname, (error) => {
  if (error?.code === "EADDRINUSE") {
    console.error(`Port ${port} is in use by another program. Choose another one: NEXTAUTH_URL_INTERNAL in .env.`);
    process.exit(1);
  }
  if (error) throw error;
  console.log(`The auth server is at ${process.env.NEXTAUTH_URL_INTERNAL}, for the site alone.`);
});
