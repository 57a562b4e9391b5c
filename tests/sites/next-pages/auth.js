import Credentials from "next-auth/providers/credentials";

import { authorize } from "./users";

export const options = {
  providers: [Credentials({ credentials: { username: {}, password: { type: "password" } }, authorize })],
  callbacks: {
    jwt({ token, user, trigger, session }) {
      if (user?.role) token.role = user.role;
      if (trigger === "update" && session?.name) token.name = session.name;
      return token;
    },
    session({ session, token }) {
      session.user.name = token.name; // NextAuth fills it in before an update reaches the token
      session.user.role = token.role;
      return session;
    },
  },
};
