import type { Metadata } from "next";

import { base } from "@/site";

export const metadata: Metadata = { title: "Not for you" };

export default function Denied() {
  return (
    <main>
      <section className="card">
        <h1>Not for you</h1>
        <p>
          This page is for admins. Sign in as somebody else on the <a href={base || "/"}>account page</a>.
        </p>
      </section>
    </main>
  );
}
