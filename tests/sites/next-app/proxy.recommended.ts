// As we recommend it: neither static files nor what is prefetched set the session cookie.
export { auth as proxy } from "@/auth";

export const config = {
  matcher: [
    {
      source: "/((?!api/|py/|pages/|favicon\\.ico|_next/static|_next/image).*)",
      missing: [
        { type: "header", key: "next-router-prefetch" },
        { type: "header", key: "purpose", value: "prefetch" },
      ],
    },
  ],
};
