import { auth } from "@/auth";

/** An example of data for members: what the server gives away, it has checked itself. */
export async function GET() {
  const session = await auth();
  const headers = { "Cache-Control": "private, no-store" };
  if (!session) return Response.json({ message: "Nobody is signed in." }, { status: 401, headers });
  return Response.json({ name: session.user.name }, { headers });
}
