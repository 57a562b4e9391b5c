import { getServerSession } from "next-auth";

import { options } from "../auth";
import { Python } from "../components/python";

export default function Guarded({ isAdmin }) {
  return (
    <main>
      <h1>Guarded</h1>
      <p id="server-says">{isAdmin ? "admitted" : "refused"}</p>
      <Python id="admins" />
    </main>
  );
}

export async function getServerSideProps({ req, res }) {
  const session = await getServerSession(req, res, options);
  return { props: { isAdmin: session?.user.role === "admin", session: JSON.parse(JSON.stringify(session)) } };
}
