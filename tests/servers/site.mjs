// An auth server that takes its address from each request, and has a slash behind each path: as in a container
// behind a proxy that ends TLS, and as Next.js is with `trailingSlash: true`.

import { createApp } from "../../demo/server/app.mjs";
import { serve } from "../../demo/server/listen.mjs";

const withSlash = (basePath) => (request, response, next) => {
  const [path, query] = request.originalUrl.split("?");
  if (!path.startsWith(basePath)) return next();
  if (!path.endsWith("/")) return response.redirect(308, `${path}/${query === undefined ? "" : `?${query}`}`);
  // Next.js takes the slash away again.
  request.url = request.url.replace(/\/(?=$|\?)/, "");
  request.originalUrl = request.originalUrl.replace(/\/(?=$|\?)/, "");
  next();
};

serve((options) => {
  delete process.env.NEXTAUTH_URL;
  delete process.env.AUTH_URL;
  process.env.AUTH_TRUST_HOST = "true";
  const app = createApp({ ...options, middleware: [withSlash(options.basePath)] });
  return app.set("trust proxy", true);
});
