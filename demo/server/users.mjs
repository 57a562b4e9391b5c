// Who may sign in with a password. The demo's pages name them.

const users = {
  alice: { password: "wonder", name: "Alice Liddell", email: "alice@example.com", role: "admin" },
  bob: { password: "builder", name: "Bob", email: "bob@example.com" },
  // Known, but not let in: see signIn.
  carol: { password: "banned", name: "Carol", email: "carol@example.com" },
  dave: { password: "detour", name: "Dave", email: "dave@example.com" },
};

// What the sign-in page asks for.
export const fields = { username: { label: "User" }, password: { label: "Password", type: "password" } };

/** The user, or null; throws for "boom", as a database that is down would. */
export function authorize({ username, password }) {
  if (username === "boom") throw new Error("The user database is on fire");
  const user = Object.hasOwn(users, username) ? users[username] : null;
  if (user?.password !== password) return null;
  return { id: username, name: user.name, email: user.email, role: user.role };
}

/** The signIn callback: refuses one user, and sends another elsewhere. */
export function signIn({ user }) {
  if (user.id === "carol" || user.email === "carol@oidc.example.com") return false; // also with an account elsewhere
  return user.id === "dave" ? "/detour" : true;
}

/** The jwt callback: keeps the role of whoever signs in; a client's update may change the name and a theme. */
export function jwt({ token, user, trigger, session }) {
  if (user?.role) token.role = user.role;
  if (trigger !== "update" || !session) return token;
  const { name = token.name, theme = token.theme } = session;
  return { ...token, name, theme };
}

/** The session callback; with a database there is a user instead of a token. */
export function session({ session, token, user }) {
  session.user.id = token?.sub ?? user.id;
  if (!token) return session;
  session.user.name = token.name; // NextAuth fills it in before an update reaches the token
  if (token.role) session.user.role = token.role;
  if (token.theme) session.theme = token.theme;
  return session;
}
