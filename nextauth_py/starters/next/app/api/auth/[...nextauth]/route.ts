import { NextRequest } from "next/server";

import { handlers } from "@/auth";
import { base } from "@/site";

/** Next.js takes the base path from the address of a request. Auth.js names it in the addresses that it gives out. */
function withBase(handler: (request: NextRequest) => Promise<Response>) {
  return (request: NextRequest) => {
    const url = new URL(request.url);
    url.pathname = base + url.pathname;
    return handler(new NextRequest(url, request));
  };
}

export const GET = withBase(handlers.GET);
export const POST = withBase(handlers.POST);
