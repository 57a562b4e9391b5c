import type { Metadata } from "next";
import { SessionProvider } from "next-auth/react";
import type { ReactNode } from "react";

import { auth } from "@/auth";
import { Nav } from "@/components/nav";
import { authPath, base } from "@/site";

export const metadata: Metadata = { title: { default: "__NAME__", template: "%s · __NAME__" }, icons: "data:," };

export default async function Layout({ children }: { children: ReactNode }) {
  const session = await auth();
  return (
    <html lang="en" data-auth={authPath} data-denied={`${base}/denied`}>
      <head>
        <link rel="stylesheet" href={`${base}/style.css`} />
        <script src={`${base}/py/session-boot.js`} />
        <script src={`${base}/py/session-prefetch.js`} data-base-path={authPath} />
      </head>
      <body>
        <SessionProvider basePath={authPath} session={session}>
          <Nav />
        </SessionProvider>
        {children}
      </body>
    </html>
  );
}
