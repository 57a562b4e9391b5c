// Who may sign in with a password.

const users = {
  alice: { password: "wonder", name: "Alice Liddell", role: "admin" },
  bob: { password: "builder", name: "Bob", role: "visitor" },
};

export function authorize({ username, password }) {
  const user = Object.hasOwn(users, username) ? users[username] : null;
  if (user?.password !== password) return null;
  return { id: username, name: user.name, role: user.role };
}
