// Who may sign in, and what a session says of them.

import Credentials from "@auth/core/providers/credentials";
import GitHub from "@auth/core/providers/github";

// TO TRY, replace it: two users whose passwords everybody can read. They are there only while .env has TRY_USERS=yes.
const usersToTry = {
  alice: { password: "wonder", name: "Alice", email: "alice@example.com", role: "admin" },
  bob: { password: "builder", name: "Bob", email: "bob@example.com" },
};

const passwords = Credentials({
  name: "Password",
  credentials: { username: { label: "User name" }, password: { label: "Password", type: "password" } },
  authorize({ username, password }) {
    const user = Object.hasOwn(usersToTry, username) ? usersToTry[username] : null;
    if (user?.password !== password) return null;
    return { id: username, name: user.name, email: user.email, role: user.role };
  },
});

/**
 * The options of Auth.js.
 *
 * @param {string} basePath - where the auth routes are
 * @param {string} base - where the pages are, without a slash at the end
 * @returns {import("@auth/core").AuthConfig}
 */
export function authOptions(basePath, base) {
  return {
    basePath,
    providers: [
      ...(process.env.TRY_USERS === "yes" ? [passwords] : []),
      // Reads AUTH_GITHUB_ID and AUTH_GITHUB_SECRET. Give users from there a role in the jwt callback below.
      ...(process.env.AUTH_GITHUB_ID ? [GitHub] : []),
    ],
    pages: { signIn: `${base}/`, error: `${base}/` },
    callbacks: {
      jwt: ({ token, user }) => (user ? { ...token, role: user.role } : token),
      session({ session, token }) {
        session.user.id = token.sub;
        session.user.role = token.role;
        return session;
      },
    },
    logger: { error: (error) => isExpected(error) || console.error(error) },
  };
}

/** A wrong password is no failure of the site. */
const isExpected = (error) => error.name === "CredentialsSignin";
