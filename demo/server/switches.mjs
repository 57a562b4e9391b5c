// What a visitor of the demo may do to its server: have it fail, cut the line, and read the mail it has sent.

/**
 * @param {string} basePath - where the auth routes are
 * @param {object[]} mails - what the server has sent
 * @returns {import("express").RequestHandler}
 */
export function switches(basePath, mails = []) {
  let mode = "works";
  const modes = {
    works: (_response, next) => next(),
    fails: (response) => response.status(500).json({ message: "This is an exercise." }),
    silent: (response) => response.destroy(),
  };
  return (request, response, next) => {
    if (request.path === "/__demo/mails") return response.json(mails.map(readable));
    if (request.path === "/__demo/mode") {
      if (request.method === "POST" && Object.hasOwn(modes, request.query.mode)) mode = request.query.mode;
      return response.json({ mode });
    }
    return request.path.startsWith(basePath) ? modes[mode](response, next) : next();
  };
}

/** To whom, and the link that the mail is about. */
function readable({ to, text }) {
  const plain = text.replace(/=\r?\n/g, "").replace(/=3D/g, "=");
  return { to: to.join(", "), link: plain.match(/https?:\/\/\S+/)?.[0] ?? "" };
}
