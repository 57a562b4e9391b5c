import Script from "next/script";

import { authPath, basePath } from "@/paths";

/** An element that Python fills, and the Python. */
export function Python({ id }: { id: string }) {
  return (
    <>
      <Script type="module" crossOrigin="anonymous" src={`${basePath}/py/pyscript/core.js`} />
      <div id={id} data-base-path={authPath} suppressHydrationWarning />
      <script type="py" src={`${basePath}/pages/${id}.py`} config={`${basePath}/py/pyscript.json`} />
    </>
  );
}
