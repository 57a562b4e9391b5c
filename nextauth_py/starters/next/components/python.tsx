import { base } from "@/site";

/** An element that Python fills: the component for `#name` in `public/pages/name.py`. */
export function Python({ name }: { name: string }) {
  return (
    <>
      <div id={name}>
        <progress aria-label="Python is starting" />
      </div>
      <script type="py" src={`${base}/pages/${name}.py`} config={`${base}/py/pyscript.json`} />
    </>
  );
}
