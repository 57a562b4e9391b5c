import { getServerSession } from "next-auth";

import { options } from "../../auth";

export default function Item({ number, name }) {
  return (
    <main>
      <h1>Item {number}</h1>
      <p>{name ? `For ${name}` : "For everybody"}</p>
    </main>
  );
}

export async function getServerSideProps({ req, res, query }) {
  const session = await getServerSession(req, res, options); // which sets the session cookie again
  const delay = Number(query.delay);
  if (delay) await new Promise((resolve) => setTimeout(resolve, delay)); // a page answers as late as its address says
  return { props: { number: query.number, name: session?.user.name ?? null } };
}
