// Shows how far Python has come while it loads, and says so if it does not come at all. Without it, PyScript
// leaves a page blank until it is ready, or for ever.

if (window !== window.parent) document.documentElement.classList.add("framed");

/** @type {[RegExp, number, string][]} Of files: what their name has, how far Python has come, what they are. */
const steps = [
  [/core\.js/, 15, "PyScript"],
  [/pyodide\.asm\.mjs/, 35, "the Python runtime"],
  [/pyodide\.(bin|asm\.wasm)/, 55, "the Python runtime"],
  [/python_stdlib\.zip/, 75, "the standard library"],
  [/packages\.bin|\.whl/, 90, "packages"],
];

const patience = 45_000; // ms; a slow phone line takes about half of it

const missing = "a file is missing on the server or cannot be reached.";

const boot = document.querySelector(".boot");
const progress = boot.querySelector("progress");
const words = boot.querySelector("p");

let isOver = false;

/** @param {{name: string, responseStatus?: number}} entry - of a file */
function seen({ name, responseStatus }) {
  if (isOver) return;
  const step = steps.find(([pattern]) => pattern.test(name));
  if (!step) return;
  // PyScript waits for ever for a package that does not come. Without a .bin, Pyodide boots in its own way.
  if (responseStatus === 0 || responseStatus >= 400) return name.endsWith(".bin") || fail(missing);
  const [, percent, what] = step;
  if (percent > progress.value) {
    progress.value = percent;
    words.textContent = `Loading ${what}…`;
  }
}

/** Says so above all else, where it stays even if the page goes on without what is missing. */
function fail(reason) {
  stop();
  boot.remove();
  const alert = Object.assign(document.createElement("p"), { className: "card bad", role: "alert" });
  alert.textContent = `Python could not be loaded: ${reason} Check your connection, then `;
  const again = Object.assign(document.createElement("button"), { className: "link", textContent: "try again" });
  again.onclick = () => location.reload();
  alert.append(again, ".");
  document.querySelector("main").prepend(alert);
}

const observer = new PerformanceObserver((list) => list.getEntries().forEach(seen));
observer.observe({ type: "resource", buffered: true });

// Scripts that cannot be fetched fire an error event that does not bubble; the engine's failures are rejections.
const onError = ({ target }) => target.src && fail(missing);
const onRejection = () => fail("the runtime failed to start.");
const timer = setTimeout(() => fail("it is taking too long."), patience);

function ready() {
  observer.takeRecords().forEach(seen); // what has just gone wrong
  stop();
}

function stop() {
  isOver = true;
  observer.disconnect();
  clearTimeout(timer);
  removeEventListener("error", onError, true);
  removeEventListener("unhandledrejection", onRejection);
}

addEventListener("error", onError, true);
addEventListener("unhandledrejection", onRejection);
addEventListener("py:ready", ready, { once: true });
