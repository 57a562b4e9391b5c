// The demo's server, with answers that a test can hold back, replace and count: see control.py.

import { createApp } from "../../demo/server/app.mjs";
import { serve } from "../../demo/server/listen.mjs";

serve((options) => {
  const middleware = [control(options.basePath, options.services?.mails)];
  return createApp({ ...options, middleware });
});

function control(basePath, mails) {
  const log = []; // { route, aborted }
  let plans = []; // { route, action, status, body, type, times }
  const held = [];
  let latency = 0; // milliseconds before each request is handled

  const commands = {
    latency: ({ milliseconds }) => void (latency = milliseconds),
    plan: (plan) => void plans.push(plan),
    release() {
      held.splice(0).forEach((send) => send());
    },
    requests: () => log,
    mails: () => mails,
    reset() {
      commands.release();
      log.length = 0;
      plans = [];
      latency = 0;
    },
  };

  return (request, response, next) => {
    if (request.path.startsWith(`${basePath}/__control/`)) {
      return response.json(commands[request.path.split("/").pop()](request.body) ?? null);
    }
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
