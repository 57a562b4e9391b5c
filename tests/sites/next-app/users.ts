// Who may sign in with a password.

const users: Record<string, { password: string; name: string; role: string }> = {
  alice: { password: "wonder", name: "Alice Liddell", role: "admin" },
  bob: { password: "builder", name: "Bob", role: "visitor" },
};

export function authorize({ username, password }: Partial<Record<"username" | "password", unknown>>) {
  const user = typeof username === "string" && Object.hasOwn(users, username) ? users[username] : undefined;
  if (user?.password !== password) return null;
  return { id: String(username), name: user?.name, role: user?.role };
}
