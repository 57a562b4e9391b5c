import NextAuth, { type DefaultSession } from "next-auth";
import Credentials from "next-auth/providers/credentials";

import { authPath } from "@/paths";
import { authorize } from "@/users";

declare module "next-auth" {
  interface User {
    role?: string;
  }
  interface Session {
    user: { role?: string } & DefaultSession["user"];
  }
}

export const { handlers, auth, signIn, signOut } = NextAuth({
  basePath: authPath,
  trustHost: true,
  providers: [Credentials({ credentials: { username: {}, password: { type: "password" } }, authorize })],
  callbacks: {
    // Only the proxy asks this, when it has read the session: a page answers as late as its address says.
    async authorized({ request }) {
      const delay = Number(request.nextUrl.searchParams.get("delay"));
      if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
      return true;
    },
    jwt({ token, user, trigger, session }) {
      if (user?.role) token.role = user.role;
      if (trigger === "update" && session?.name) token.name = session.name;
      return token;
    },
    session({ session, token }) {
      session.user.name = token.name; // Auth.js fills it in before an update reaches the token
      session.user.role = token.role as string;
      return session;
    },
  },
});
