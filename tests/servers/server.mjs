// The demo's server, with answers that a test can hold back, replace and count: see control.py.

import { createApp } from "../../demo/server/app.mjs";
import { serve } from "../../demo/server/listen.mjs";

serve((options) => {
  const middleware = [control(options.basePath, options.services?.mails), api(options.basePath)];
  return createApp({ ...options, middleware });
});

function control(basePath, mails) {
  const log = []; // { route, aborted }
  let plans = []; // { route, action, status, body, type, times }
  const held = [];
  let latency = 0; // milliseconds before each request is handled
  let headers = {}; // of all answers

  const commands = {
    headers(given) {
      headers = given;
    },
    latency({ milliseconds }) {
      latency = milliseconds;
    },
    plan: (plan) => void plans.push(plan),
    release() {
      for (const send of held.splice(0)) send();
    },
    requests: () => log,
    mails: () => mails,
    reset() {
      commands.release();
      log.length = 0;
      plans = [];
      latency = 0;
      headers = {};
    },
  };

  return (request, response, next) => {
    if (request.path.startsWith(`${basePath}/__control/`)) {
      return response.json(commands[request.path.split("/").pop()](request.body) ?? null);
    }
    response.set(headers);
    if (!request.path.startsWith(basePath)) return next();
    const entry = { route: `${request.method} ${request.path}`, aborted: false };
    log.push(entry);
    response.on("close", () => (entry.aborted = !response.writableFinished));
    const plan = plans.find(({ route, times }) => route === entry.route && times > 0);
    if (!plan) return latency ? setTimeout(next, latency) : next();
    plan.times -= 1;
    actions[plan.action](plan, { request, response, next, held });
  };
}

// What a site's own API might be: a route for those who are signed in, and one that says what it was sent.
function api(basePath) {
  return async (request, response, next) => {
    if (request.path === "/api/me") {
      const own = `http://localhost:${request.socket.localPort}${basePath}/session`;
      const answer = await fetch(own, { headers: { cookie: request.headers.cookie ?? "" } });
      const session = await answer.json();
      if (!session?.user) return response.status(401).json({ message: "Nobody is signed in." });
      response.type("json").write('{"name": '); // without a length: in chunks
      return response.end(`${JSON.stringify(session.user.name)}}`);
    }
    if (request.path !== "/api/echo") return next();
    let body = "";
    for await (const chunk of request) body += chunk;
    response.json({ method: request.method, type: request.headers["content-type"] ?? "", body });
  };
}

const actions = {
  // NextAuth handles the request, cookies and all; only its answer waits.
  hold(_plan, { response, next, held }) {
    const end = response.end;
    response.end = (...content) => void held.push(() => end.apply(response, content));
    next();
  },
  answer: ({ status, body, type }, { response }) => response.status(status).type(type).send(body),
  // In the middle of the answer: a request without any answer is sent again by browsers.
  drop(_plan, { response }) {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 100 });
    response.write("{", () => response.destroy());
  },
};
