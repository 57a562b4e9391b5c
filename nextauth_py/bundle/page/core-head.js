// What `build/edits.py` puts before PyScript's core, which calls it instead of evaluating text.
//
// A function that runs in a worker travels there as text. PyScript's core evaluates text for that twice: in each page,
// to join several functions to one, and in the worker. A content security policy without 'unsafe-eval' forbids both.

/**
 * A function that has this text, and is evaluated only if it is called. Pages never call it: they send its text.
 *
 * @param {string} source - of a function without a name
 */
export const nextauthLater = (source) =>
  Object.assign((...values) => Function(`return ${source}`)()(...values), { toString: () => source });

/**
 * The start of a worker's script: the functions that it will be sent, by their text.
 *
 * @param {{toJSON?: () => Record<string, string>} | undefined} hooks - PyScript's, if the worker has any
 */
export const nextauthHooks = (hooks) => {
  const texts = Object.entries(hooks?.toJSON?.() ?? {}).filter(([name]) => name.startsWith("on"));
  const entries = texts.map(([, text]) => `[${JSON.stringify(text)}, ${text}\n]`);
  return `const nextauthHooks = new Map([${entries}]);\n`;
};

/** @type {any} */
let policy;

/**
 * The address of a worker's script, as pages with Trusted Types take it.
 *
 * @param {Blob} script
 */
export const nextauthWorker = (script) => {
  const url = URL.createObjectURL(script);
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return url;
  policy ??= trustedTypes.createPolicy("pyscript-worker", { createScriptURL: String });
  return policy.createScriptURL(url);
};
