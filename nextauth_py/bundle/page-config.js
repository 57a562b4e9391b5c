// PyScript takes `interpreter` as relative to the page, all else as relative to the config. So that this folder
// works under any path, pages that name its pyscript.json get it here: inline, with whole URLs, before PyScript reads
// it. That also saves them a request.
const config = {}; // `nextauth-py bundle` puts pyscript.json here
const modules = {}; // and here what the interpreter is made of

const url = new URL("../pyscript.json", import.meta.url).href;
const whole = (path) => new URL(path, url).href;
const names = (value) => new URL(value, document.baseURI).href.split(/[?#]/)[0] === url;

config.interpreter = whole(config.interpreter);
config.js_modules.main = Object.fromEntries(
  Object.entries(config.js_modules.main).map(([path, name]) => [whole(path), name]),
);

// Markup can hide members of the document, as <img name="createElement"> does. PyScript and lit-html would not start.
const { getAttribute, removeAttribute } = Element.prototype;
for (const [elements, attribute] of [
  ["embed, form, iframe, img, object", "name"],
  ["object", "id"],
]) {
  for (const element of Document.prototype.querySelectorAll.call(document, elements)) {
    if (getAttribute.call(element, attribute) in Document.prototype) removeAttribute.call(element, attribute);
  }
}

let isForThisThread = false;
for (const [selector, attribute] of [
  ['script[type="py"][config], py-script[config]', "config"],
  ["py-config[src]", "src"],
]) {
  for (const element of document.querySelectorAll(selector)) {
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
  for (const module of modules) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: whole(module) }));
  }
}
