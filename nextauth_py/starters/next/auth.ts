import NextAuth, { CredentialsSignin, type DefaultSession } from "next-auth";
import Credentials from "next-auth/providers/credentials";
import GitHub from "next-auth/providers/github";

import { authPath, base } from "./site";

declare module "next-auth" {
  interface User {
    role?: string;
  }
  interface Session {
    user: { role?: string } & DefaultSession["user"];
  }
}

// TO TRY, replace it: two users whose passwords everybody can read. They are there only while .env.local has
// TRY_USERS=yes.
const usersToTry = new Map([
  ["alice", { password: "wonder", name: "Alice", email: "alice@example.com", role: "admin" }],
  ["bob", { password: "builder", name: "Bob", email: "bob@example.com", role: undefined }],
]);

const passwords = Credentials({
  name: "Password",
  credentials: { username: { label: "User name" }, password: { label: "Password", type: "password" } },
  authorize({ username, password }) {
    const user = usersToTry.get(String(username));
    if (!user || user.password !== password) return null;
    return { id: String(username), name: user.name, email: user.email, role: user.role };
  },
});

export const { handlers, auth } = NextAuth({
  basePath: authPath,
  providers: [
    ...(process.env.TRY_USERS === "yes" ? [passwords] : []),
    // Reads AUTH_GITHUB_ID and AUTH_GITHUB_SECRET. Give users from there a role in the jwt callback below.
    ...(process.env.AUTH_GITHUB_ID ? [GitHub] : []),
  ],
  pages: { signIn: base || "/", error: base || "/" },
  callbacks: {
    jwt: ({ token, user }) => (user ? { ...token, role: user.role } : token),
    session({ session, token }) {
      session.user.id = token.sub ?? "";
      session.user.role = token.role as string | undefined;
      return session;
    },
  },
  // A wrong password is no failure of the site.
  logger: { error: (error) => error instanceof CredentialsSignin || console.error(error) },
});
