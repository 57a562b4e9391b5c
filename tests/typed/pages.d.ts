// What pages have that TypeScript does not know: files of a bundle, and what the early scripts leave for Python.

declare module "*/pyodide.mjs" {
  export const loadPyodide: (options: object) => Promise<any>;
  export const loadWith: (fetch: (url: URL, options?: RequestInit) => Promise<Response>) => void;
  export const version: string;
}
declare module "*/lit-html.js" {
  export const html: unknown;
  export const nothing: unknown;
  export const render: unknown;
}
declare module "*/directives/repeat.js" {
  export const repeat: (...parts: unknown[]) => unknown;
}

interface Window {
  nextauthSession?: any;
  nextauthClick?: (bound?: WeakMap<Element, string>) => void;
}
declare var nextauthSession: any;
declare module "esbuild";
