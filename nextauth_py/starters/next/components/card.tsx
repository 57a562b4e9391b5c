import type { ReactNode } from "react";

import { base } from "@/site";

/** What a page has, and below it where to read its Python. */
export function Card({ children, python }: { children: ReactNode; python: string }) {
  return (
    <>
      <main>
        <section className="card">{children}</section>
      </main>
      <footer>
        This page is Python, running in your browser: <a href={`${base}/pages/${python}.py`}>pages/{python}.py</a>.
      </footer>
    </>
  );
}
