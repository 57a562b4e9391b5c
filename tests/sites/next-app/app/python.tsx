import Script from "next/script";

import { authPath, basePath } from "@/paths";

/** Elements that Python fills, and the Python. */
export function Python({ id, src }: { id: string; src: string }) {
  return (
    <>
      <Script type="module" src={`${basePath}/static/dist/pyscript/core.js`} />
      <div id={id} data-base-path={authPath} suppressHydrationWarning />
      <script type="py" src={`${basePath}/${src}`} config={`${basePath}/static/dist/pyscript.json`} />
    </>
  );
}
