// What components draw with: lit-html, and its lists that keep each row's elements.

export { html, nothing, render } from "./lit-html.js";

import { repeat } from "./directives/repeat.js";

/** A list whose rows keep their elements by key, wherever they move. */
export const keyed = (keys, values) =>
  repeat(
    keys.map((key, index) => [key, values[index]]),
    ([key]) => key,
    ([, value]) => value,
  );
