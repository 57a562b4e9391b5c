import Script from "next/script";

import { base } from "@/site";

/**
 * An element that Python fills: the component for `#name` in `public/pages/name.py`.
 *
 * `<Script>` loads PyScript after React has taken over the page, so that neither changes what the other reads.
 */
export function Python({ name }: { name: string }) {
  return (
    <>
      <Script type="module" crossOrigin="anonymous" src={`${base}/py/pyscript/core.js`} />
      <div id={name} suppressHydrationWarning>
        <progress aria-label="Python is starting" />
      </div>
      <script type="py" src={`${base}/pages/${name}.py`} config={`${base}/py/pyscript.json`} />
    </>
  );
}
