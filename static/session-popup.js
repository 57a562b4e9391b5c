// The end of a sign-in in a window of its own: tells the page that has opened it, and closes.
if (top === self) {
  const params = new URL(location.href).searchParams;
  const nonce = params.get("nextauth_popup");
  const channel = new BroadcastChannel("nextauth_py.popup");

  // That page is gone. What next-auth says after a sign-in, v5 on a channel and v4 in the storage, has all pages ask.
  const tellAll = () => {
    const message = { event: "session", data: { trigger: "getSession" }, timestamp: Math.floor(Date.now() / 1000) };
    new BroadcastChannel("next-auth").postMessage(message);
    try {
      localStorage.setItem("nextauth.message", JSON.stringify(message));
    } catch {} // forbidden by the visitor
  };

  if (params.has("error")) {
    document.getElementById("done").hidden = true;
    document.getElementById("failed").hidden = false;
  }
  const waiting = setTimeout(() => {
    if (params.has("error")) return; // nobody else will say so
    tellAll();
    close();
  }, 2000);
  channel.onmessage = ({ data }) => {
    if (data?.event !== "heard" || data.nonce !== nonce) return;
    clearTimeout(waiting);
    close();
  };
  channel.postMessage({ event: "landed", nonce, told: location.search });
}
