import type { ReactNode } from "react";
import { SessionProvider } from "next-auth/react";

import { Nav } from "./nav";
import { authPath } from "@/paths";

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
