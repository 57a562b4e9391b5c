import Script from "next/script";

import { authPath, basePath } from "../paths";

/** An element that Python fills, and the Python. */
export function Python({ id }) {
  return (
    <>
      <Script type="module" crossOrigin="anonymous" src={`${basePath}/static/dist/pyscript/core.js`} />
      <div id={id} data-base-path={authPath} suppressHydrationWarning />
      <script type="py" src={`${basePath}/${id}.py`} config={`${basePath}/static/dist/pyscript.json`} />
    </>
  );
}
