// Shows what a worker says, and adds a hook to it, as PyScript's documentation has it.

import { hooks } from "/static/dist/pyscript/core.js";

new BroadcastChannel("said").onmessage = ({ data }) => (document.querySelector("#said").textContent = data);
new BroadcastChannel("hooked").onmessage = ({ data }) => (document.querySelector("#hooked").textContent = data);
hooks.worker.onReady.add(() => new BroadcastChannel("hooked").postMessage("the hook has run"));
