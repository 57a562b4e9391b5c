import { auth } from "@/auth";

export default async function Item({ params }: { params: Promise<{ number: string }> }) {
  const [{ number }, session] = await Promise.all([params, auth()]);
  return (
    <main>
      <h1>Item {number}</h1>
      <p>{session ? `For ${session.user.name}` : "For everybody"}</p>
    </main>
  );
}
