// Asks while Python boots.
{
const on = addEventListener,
path = Reflect.get(Document.prototype, "currentScript", document)?.dataset.basePath?.replace(/\/+$/, "") ?? "/api/auth",
abort = new AbortController(),
{ signal } = abort,
drop = () => delete window.nextauthSession && abort.abort(),
hear = (to, f) => on.call(new BroadcastChannel(to), "message", f, { signal });
on("submit", (e) => Element.prototype.matches.call(e.target, ":root:not([data-session-bound]) [data-session-action]") && e.preventDefault(), true);
hear("next-auth", drop);
hear("nextauth_py", (e) => /"(fence|changed|done)"/.test(e.data) && drop());
on("storage", (e) => e.key === "nextauth.message" && drop());
on("pageshow", (e) => e.persisted && drop());
nextauthSession = { path, at: Date.now(), drop, signal,
answer: fetch(origin + path + "/session", { cache: "no-store", mode: "same-origin", signal })
.then(async (r) => [r.status, await r.text(), [...r.headers], Date.now()]) };
nextauthSession.answer.catch(() => {});
}
