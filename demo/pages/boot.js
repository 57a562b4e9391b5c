// Shows how far Python has come while it loads. If it does not come, session-boot.js says why, and this goes away.

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

const boot = document.querySelector(".boot");
const progress = boot.querySelector("progress");
const words = boot.querySelector("p");

/** @param {{name: string}} entry - of a file that is there */
function seen({ name }) {
  const [, percent, what] = steps.find(([pattern]) => pattern.test(name)) ?? [];
  if (percent > progress.value) {
    progress.value = percent;
    words.textContent = `Loading ${what}…`;
  }
}

const observer = new PerformanceObserver((list) => list.getEntries().forEach(seen));
observer.observe({ type: "resource", buffered: true });

const timer = setTimeout(() => {
  words.textContent = "Python takes unusually long to load.";
}, patience);

function stop() {
  observer.disconnect();
  clearTimeout(timer);
}

function giveUp() {
  stop();
  boot.remove();
}

addEventListener("py:ready", stop, { once: true });
addEventListener("session-boot-failed", giveUp, { once: true });
if (document.querySelector(".session-boot")) giveUp(); // it was faster
