import { base } from "@/site";

/** Next.js's own page has styles that the content security policy forbids. */
export default function NotFound() {
  return (
    <main>
      <section className="card">
        <h1>There is no such page</h1>
        <p>
          Go on with the <a href={base || "/"}>account page</a>.
        </p>
      </section>
    </main>
  );
}
