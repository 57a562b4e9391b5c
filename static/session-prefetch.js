// Asks for the session while Python boots; nextauth_py takes it, unless it has changed since.
{
  const path = document.currentScript.dataset.basePath ?? "/api/auth";
  const abort = new AbortController();
  const { signal } = abort;
  const lines = ["next-auth", "nextauth_py"].map((name) => new BroadcastChannel(name));
  const drop = () => {
    abort.abort();
    lines.forEach((line) => line.close());
    delete window.nextauthSession;
  };
  lines[0].onmessage = drop;
  lines[1].onmessage = ({ data }) => /"(fence|changed|done)"/.test(data) && drop();
  addEventListener("storage", ({ key }) => key === "nextauth.message" && drop(), { signal });
  const at = Date.now();
  const init = { cache: "no-store", credentials: "include", signal };
  const answer = fetch(new URL(path + "/session", origin), init).then(async (r) => {
    return [r.status, await r.text(), [...r.headers], Date.now()];
  });
  answer.catch(() => {});
  window.nextauthSession = { path, at, answer, drop, signal };
}
