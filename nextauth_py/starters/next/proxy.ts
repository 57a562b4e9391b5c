import { type NextRequest, NextResponse } from "next/server";

// While you develop, React evaluates JavaScript to say more of errors, and Next.js's tools have styles of their own.
const isDevelopment = process.env.NODE_ENV === "development";
const evalForDevelopment = isDevelopment ? " 'unsafe-eval'" : "";
const inlineForDevelopment = isDevelopment ? " 'unsafe-inline'" : "";

/** Gives each page a content security policy. The nonce is for Next.js's own inline scripts: it finds it there. */
export function proxy(request: NextRequest) {
  const nonce = Buffer.from(crypto.randomUUID()).toString("base64");
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'${evalForDevelopment}`, // "wasm": Python may start
    `style-src 'self'${inlineForDevelopment}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
  const headers = new Headers(request.headers);
  headers.set("Content-Security-Policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  return response;
}

export const config = {
  matcher: [
    "/", // under a base path the pattern below does not match it
    {
      // Not the auth routes and the API, the bundle, the pages' Python and style, and what Next.js loads ahead.
      source: "/((?!api/|py/|pages/|style\\.css|_next/static|_next/image).*)",
      missing: [
        { type: "header", key: "next-router-prefetch" },
        { type: "header", key: "purpose", value: "prefetch" },
      ],
    },
  ],
};
