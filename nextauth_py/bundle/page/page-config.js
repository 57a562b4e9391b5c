// PyScript takes `interpreter` as relative to the page, all else as relative to the config. So that this folder
// works under any path, pages that name its pyscript.json get it here: inline, with whole URLs, before PyScript reads
// it. That also saves them a request.
/** @type {any} */
const config = {}; // `nextauth-py bundle` puts pyscript.json here
/** @type {any} */
const modules = {}; // and here what the interpreter is made of

const url = new URL("../pyscript.json", import.meta.url).href;
const whole = (path) => new URL(path, url).href;

// Elements with the name of a property of `document` hide it, so markup could take the place of what is read here.
const all = (selector) => Document.prototype.querySelectorAll.call(document, selector);
const base = Object.getOwnPropertyDescriptor(Node.prototype, "baseURI").get.call(document);

// A `<base>` may lead to the page's own origin or to this folder's. Another one has been injected: it would have
// PyScript load the page's config and scripts from elsewhere, so these are taken as relative to the page.
const isForeign = ![location.origin, new URL(url).origin].includes(new URL(base).origin);
const start = isForeign ? location.href : base;
const names = (value) => new URL(value, start).href.split(/[?#]/)[0] === url;

if (isForeign) {
  console.error(`nextauth_py: <base> leads to ${base}, so this page's Python ignores it`);
  for (const attribute of ["config", "src"]) {
    for (const element of all(`:is(script[type*="py"], py-script, mpy-script, py-config, mpy-config)[${attribute}]`)) {
      const value = element.getAttribute(attribute).trim();
      const isInline = attribute === "config" && !/\.\w+(?:\?\S*)?$/.test(value);
      if (!isInline) element.setAttribute(attribute, new URL(value, start).href);
    }
  }
}

config.interpreter = whole(config.interpreter);
config.js_modules.main = Object.fromEntries(
  Object.entries(config.js_modules.main).map(([path, name]) => [whole(path), name]),
);

// Of PyScript and lit-html markup could hide such properties too: they would not start.
const { getAttribute, removeAttribute } = Element.prototype;
for (const [selector, attribute] of [
  ["embed, form, iframe, img, object", "name"],
  ["object", "id"],
]) {
  for (const element of all(selector)) {
    if (getAttribute.call(element, attribute) in Document.prototype) removeAttribute.call(element, attribute);
  }
}

let isForThisThread = false;
for (const [selector, attribute] of [
  ['script[type="py"][config], py-script[config]', "config"],
  ["py-config[src]", "src"],
]) {
  for (const element of all(selector)) {
    if (!names(element.getAttribute(attribute))) continue;
    element.setAttribute(attribute, JSON.stringify(config));
    isForThisThread ||= !element.hasAttribute("worker");
  }
}

// PyScript would ask for the first ones after it has loaded itself, and for each of the others after the one before.
if (isForThisThread) {
  for (const module of [config.interpreter, ...Object.keys(config.js_modules.main)]) {
    import(module).catch(() => {}); // it will ask again, and say what is wrong
  }
  const [head] = all("head");
  for (const module of modules) {
    const link = Document.prototype.createElement.call(document, "link");
    head.append(Object.assign(link, { rel: "modulepreload", href: whole(module) }));
  }
}
