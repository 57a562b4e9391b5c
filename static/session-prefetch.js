// Asks for the session while Python boots.
{
  const path = document.currentScript.dataset.basePath ?? "/api/auth";
  const abort = new AbortController();
  const signal = abort.signal;
  const both = ["next-auth", "nextauth_py"].map((name) => new BroadcastChannel(name));
  const drop = () => {
    abort.abort();
    for (const line of both) line.close();
    delete window.nextauthSession;
  };
  both[0].onmessage = drop;
  both[1].onmessage = ({ data }) => /"(fence|changed|done)"/.test(data) && drop();
  addEventListener("storage", ({ key }) => key === "nextauth.message" && drop(), { signal });
  addEventListener("pageshow", (e) => e.persisted && drop(), { signal });
  const at = Date.now();
  const answer = fetch(new URL(path + "/session", origin), {
    cache: "no-store",
    credentials: "include",
    signal,
  }).then(async (r) => [r.status, await r.text(), [...r.headers], Date.now()]);
  answer.catch(() => {});
  window.nextauthSession = { path, at, answer, drop, signal };
}
