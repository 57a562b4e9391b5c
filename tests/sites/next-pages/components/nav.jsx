import Link from "next/link";
import { getSession, signIn, signOut, useSession } from "next-auth/react";

async function enter() {
  await signIn("credentials", { redirect: false, username: "alice", password: "wonder" });
  await getSession(); // tells the other tabs, which a sign-in without a redirect does not
}

export function Nav() {
  const { data, status } = useSession();
  return (
    <nav>
      <b id="react-shown">{data?.user?.name ?? status}</b>
      <button id="react-sign-in" type="button" onClick={enter}>
        Sign in
      </button>
      <button id="react-sign-out" type="button" onClick={() => signOut({ redirect: false })}>
        Sign out
      </button>
      <Link href="/">Home</Link>
      <Link href="/python">Python</Link>
      <Link href="/guarded">Guarded</Link>
    </nav>
  );
}
