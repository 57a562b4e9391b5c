// Says on the page why its Python does not come: PyScript leaves it as it is. While all is well, nothing shows.
// Until then it keeps the last click on an element with an action.
{
  const NAME = "session-boot";
  // For visitors, and for whoever looks into the console.
  const words = {
    protected: [
      "The server sends something else in place of a part of this page.",
      "was answered with HTML or a redirect. Does middleware protect it? Leave the bundle and your .py files out of its matcher.",
    ],
    missing: ["A part of this page is missing on the server.", "was not found. Is the bundle built, and at this path?"],
    failed: ["The server cannot send a part of this page.", "was answered with an error."],
    unreachable: ["A part of this page cannot be reached. Check your connection.", "was not answered, or not to this origin."],
    broken: ["It could not start in your browser.", "is there, but Python did not start."],
  };
  const sheet = `:where(.${NAME}) { font: 1rem/1.5 system-ui, sans-serif; color: #7a1020; background: #fff0f0;
    border: 1px solid; border-radius: .5rem; padding: .75rem 1rem; margin: 1rem }
    :where(.${NAME} button) { font: inherit }`;

  // Past what markup hides.
  const own = (name) => Reflect.get(Document.prototype, name, document);
  const all = (selector) => [...Document.prototype.querySelectorAll.call(document, selector)];
  const make = (tag) => Document.prototype.createElement.call(document, tag);

  // --- which files ---

  const folder = new URL(".", own("currentScript").src).href;
  /** Addresses that attributes of elements name. A config may be JSON as well. */
  const urls = (selector, ...names) => {
    const base = Reflect.get(Node.prototype, "baseURI", document);
    const values = all(selector).flatMap((each) => names.map((name) => each.getAttribute(name)));
    const found = values.filter((value) => value && !/[{\n]/.test(value) && URL.canParse(value, base));
    return found.map((value) => new URL(value, base).href);
  };
  /** The code of the page, and its config. */
  const named = () => urls('script[type*="py"], py-script, mpy-script', "src", "config");
  const core = 'script[type="module"][src*="pyscript"][src$="/core.js"]';
  /** The bundle, and a CDN that the page names instead. */
  const homes = () => [folder, ...urls(core, "src").map((url) => new URL(".", url).href)];

  // Without these Python starts, or the page does not need it.
  const isSpare = (path) => /\.(bin|css|map)$|\/checked\.mjs$|\/session-\w+\.js$/.test(path);
  const isNeeded = (url) =>
    named().includes(url) || (homes().some((home) => url.startsWith(home)) && !isSpare(url.split(/[?#]/)[0]));

  // --- what is wrong ---

  const ask = async (url) => {
    const answer = await fetch(url, { cache: "no-store", redirect: "manual" }).catch(() => null);
    if (!answer) return "unreachable";
    const { status, type, headers } = answer;
    if (type === "opaqueredirect" || status === 401 || status === 403) return "protected";
    if (status === 404 || status === 410) return "missing";
    if (!answer.ok) return "failed";
    return /\bhtml\b/.test(headers.get("content-type")) ? "protected" : "";
  };

  const asked = new Set();
  const suspect = async (url, reason) => {
    if (asked.has(url)) return;
    asked.add(url);
    const kind = (await ask(url)) || (reason && "broken");
    if (kind) say(kind, url, reason);
  };

  /** @param {any} entry - of a file that was asked for */
  const see = ({ name, responseStatus, contentType }) => {
    if ((responseStatus === 0 || responseStatus >= 400 || /\bhtml\b/.test(contentType)) && isNeeded(name)) suspect(name);
  };

  // --- how it is said ---

  let said; // what the event has
  const box = make("p");

  const say = (kind, url, reason = "") => {
    const [text, hint] = words[kind];
    console.error(`nextauth_py: ${url} ${hint}`, reason);
    if (said && said.kind !== "broken") return;
    said = { kind, url, text };
    tell(release());
  };

  const tell = (isClicked) => {
    if (dispatchEvent(new CustomEvent(`${NAME}-failed`, { detail: said, cancelable: true }))) show();
    if (isClicked) box.scrollIntoView();
  };

  const show = () => {
    if (!own("body")) return addEventListener("DOMContentLoaded", show, { once: true });
    if (!box.isConnected) {
      const style = new CSSStyleSheet();
      style.replaceSync(sheet);
      own("adoptedStyleSheets").push(style);
      Object.assign(box, { className: NAME, role: "alert", lang: "en" });
      own("body").prepend(box);
    }
    const again = Object.assign(make("button"), { type: "button", textContent: "Try again" });
    again.onclick = () => location.reload();
    box.replaceChildren(`This page is not complete. ${said.text} `, again);
  };

  // --- what is watched ---

  const observer = new PerformanceObserver((list) => list.getEntries().forEach(see));
  observer.observe({ type: "resource", buffered: true });
  const abort = new AbortController();
  const on = (type, listener, { signal } = abort) => addEventListener(type, listener, { capture: true, signal });

  const nameOf = (url) => url.split("/").pop() || url;
  const complain = (reason, where) => {
    const told = String(reason);
    const files = [...named(), ...performance.getEntriesByType("resource").map(({ name }) => name)];
    const file = files.find((url) => told.includes(nameOf(url)) && isNeeded(url));
    if (file) suspect(file, reason);
    else if (homes().some((home) => `${where}`.includes(home))) say("broken", "Python", reason);
  };

  on("error", ({ target, error, message, filename }) => {
    if (target === window) return complain(error ?? message, filename);
    if (target.localName !== "script" || !isNeeded(target.src)) return;
    performance.getEntriesByType("resource").forEach(see); // it may be one that this one imports
    suspect(target.src, "It could not be loaded.");
  });
  on("unhandledrejection", ({ reason }) => complain(reason, reason?.stack));
  // From then on, errors are the page's own affair.
  on("py:ready", () => {
    abort.abort();
    if (said?.kind !== "broken") return;
    said = null;
    box.remove();
  });

  // --- what is kept ---

  const clicks = new AbortController();
  let kept, action, button;

  /** Past what fields of a form hide. */
  const call = (element, method, ...values) => Reflect.get(Element.prototype, method).call(element, ...values);
  const marks = ["aria-busy", "data-session-waiting"];

  /** Nothing waits any more, and no copy. Returns what did. */
  const release = () => {
    const was = kept;
    kept = null;
    if (!was) return;
    for (const each of [was, ...all("[data-session-waiting]")])
      for (const name of marks) call(each, "removeAttribute", name);
    return was;
  };

  const keep = (event) => {
    const actionOf = (each) => each instanceof Element && call(each, "getAttribute", "data-session-action");
    const element = event.composedPath().find(actionOf);
    const opensElsewhere = element?.href && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!element || opensElsewhere || (event.type === "submit") !== element instanceof HTMLFormElement) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // it comes again
    release();
    if (said) return tell(true);
    [kept, action, button] = [element, actionOf(element), event.submitter];
    for (const name of marks) call(kept, "setAttribute", name, "true");
  };

  on("click", keep, clicks);
  on("submit", keep, clicks);
  addEventListener("pagehide", release);

  /** @param {WeakMap} [bound] - the actions of what bind_page() has bound; it may be called again */
  window.nextauthClick = (bound) => {
    clicks.abort();
    if (!kept || (bound && bound.get(kept) !== action)) return;
    const element = release();
    if (!bound) console.error("nextauth_py: bind_page() has not bound this as it was when it was clicked:", element);
    else if (element instanceof HTMLFormElement) {
      const isButton = button?.form === element && /^(submit|image)$/.test(button.type);
      HTMLFormElement.prototype.requestSubmit.call(element, isButton ? button : null);
    } else element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }));
  };
  addEventListener("py:all-done", () => window.nextauthClick());
}
