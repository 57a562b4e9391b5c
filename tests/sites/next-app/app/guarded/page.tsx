import { auth } from "@/auth";

import { Python } from "../python";

export default async function Guarded() {
  const session = await auth();
  return (
    <main>
      <h1>Guarded</h1>
      <p id="server-says">{session?.user.role === "admin" ? "admitted" : "refused"}</p>
      <Python id="admins" />
    </main>
  );
}
