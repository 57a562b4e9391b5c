// A site in Express with Auth.js at /auth.

import { ExpressAuth, getSession } from "@auth/express";
import Credentials from "@auth/express/providers/credentials";
import express from "express";

import { authorize } from "./users.mjs";

const config = {
  trustHost: true,
  providers: [Credentials({ credentials: { username: {}, password: { type: "password" } }, authorize })],
  callbacks: {
    jwt({ token, user, trigger, session }) {
      if (user?.role) token.role = user.role;
      if (trigger === "update" && session?.name) token.name = session.name;
      return token;
    },
    session({ session, token }) {
      session.user.name = token.name; // Auth.js fills it in before an update reaches the token
      session.user.role = token.role;
      return session;
    },
  },
};

const app = express();
app.use("/auth", ExpressAuth(config));
app.use(express.static("public"));
app.get("/", (_, response) => response.send(page("Home", "<a href='/python'>Python</a>")));
app.get("/python", (_, response) => response.send(page("Python", python("account"))));
app.get("/guarded", async (request, response) => {
  const session = await getSession(request, config);
  const verdict = session?.user?.role === "admin" ? "admitted" : "refused";
  response.send(page("Guarded", `<p id="server-says">${verdict}</p>${python("admins")}`));
});
app.listen(Number(process.env.PORT), process.env.HOST);

function page(title, content) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <h1>${title}</h1>
    ${content}
  </body>
</html>`;
}

/** An element that Python fills, and the Python. */
function python(name) {
  return `
    <script type="module" src="/py/pyscript/core.js"></script>
    <div id="${name}" data-base-path="/auth"></div>
    <script type="py" src="/pages/${name}.py" config="/py/pyscript.json"></script>`;
}
