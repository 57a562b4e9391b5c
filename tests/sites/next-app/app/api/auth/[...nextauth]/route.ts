import { NextRequest } from "next/server";

import { handlers } from "@/auth";
import { basePath } from "@/paths";

// Next.js takes the site's base path off the address before Auth.js looks for its own in it.
const underBasePath = (handle: typeof handlers.GET) => (request: NextRequest) => {
  const url = new URL(request.url);
  url.pathname = basePath + url.pathname;
  return handle(new NextRequest(url, request));
};

export const GET = underBasePath(handlers.GET);
export const POST = underBasePath(handlers.POST);
