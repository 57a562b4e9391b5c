import { SvelteKitAuth } from "@auth/sveltekit";
import Credentials from "@auth/sveltekit/providers/credentials";

import { authorize } from "$lib/users.js";

export const { handle, signIn, signOut } = SvelteKitAuth({
  trustHost: true,
  secret: process.env.AUTH_SECRET,
  providers: [Credentials({ credentials: { username: {}, password: { type: "password" } }, authorize })],
  callbacks: {
    jwt({ token, user, trigger, session }) {
      if (user?.role) token.role = user.role;
      if (trigger === "update" && session?.name) token.name = session.name;
      return token;
    },
    session({ session, token }) {
      session.user.name = token.name; // Auth.js fills it in before an update reaches the token
      session.user.role = token.role;
      return session;
    },
  },
});
