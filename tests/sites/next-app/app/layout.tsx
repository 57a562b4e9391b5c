import { SessionProvider } from "next-auth/react";
import type { ReactNode } from "react";

import { authPath } from "@/paths";

import { Nav } from "./nav";

export const metadata = { title: "A site in Next.js", icons: { icon: "data:," } };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <SessionProvider basePath={authPath}>
          <Nav />
          {children}
        </SessionProvider>
      </body>
    </html>
  );
}
