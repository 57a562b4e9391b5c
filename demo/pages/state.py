"""The live state: what the provider knows, and everything that happens to it, as it happens."""

import logging
from datetime import datetime

from pyscript import fetch

from nextauth_py import NextAuthError, SessionProvider, component, use_session


def now():
    return datetime.now().astimezone()


provider = SessionProvider(refetch_interval=60).start()
log = []
trace = []
TRACED = 200  # lines


def user_line(session):
    return session.data and session.data.user and f"{session.data.user.name} ({session.data.user.email})"


def line(time, what, details):
    return t'<li><span class="mono quiet">{time}</span><b>{what}</b><span class="quiet">{details}</span></li>'


class TraceHandler(logging.Handler):
    """Shows what the provider decides, and why."""

    def emit(self, record):  # noqa: D102 - logging's
        trace.append((f"{now():%H:%M:%S.%f}"[:12], record.getMessage()))
        del trace[:-TRACED]
        live.update()


def reason(time, text):
    return t'<li><span class="mono quiet">{time}</span><span class="quiet">{text}</span></li>'


def note(what, details=""):
    log.append((f"{now():%H:%M:%S.%f}"[:12], what, details))
    live.update()


def on_event(event):
    if event.local:
        note(event.name, f"by {event.reason}, in this tab")
    elif event.reason == "broadcast":
        note(event.name, "told by another tab")
    else:
        note(event.name, f"found by asking ({event.reason})")


async def refetch():
    await provider.refetch()
    note("refetch", "answered")


async def enter(name, password):
    await tell("sign_in", provider.sign_in("credentials", username=name, password=password, redirect=False))


async def update():
    await tell("update", provider.update({"name": f"Renamed at {now():%H:%M:%S}"}))


async def leave():
    await tell("sign_out", provider.sign_out(redirect=False))


async def switch(mode):
    await fetch(f"/__demo/mode?mode={mode}", method="POST")
    note("the server", "answers as it should" if mode == "works" else mode)


async def tell(what, call):
    try:
        result = await call
    except NextAuthError as error:
        note(what, f"failed: {error}")
    else:
        note(what, "refused: " + result.error if getattr(result, "error", None) else "done")


@component("#live")
def live():
    session = use_session()
    state = provider.state
    return t"""
        <h1 class="visually-hidden">Live state</h1>
        <section class="card">
            <h2>State</h2>
            <dl>
                <dt>status</dt><dd><span class={"pill " + session.status}>{session.status}</span></dd>
                <dt>data.user</dt><dd>{user_line(session)}</dd>
                <dt>data.expires</dt><dd>{session.data and str(session.data.expires)}</dd>
                <dt>error</dt><dd class="bad">{session.error and str(session.error)}</dd>
                <dt>stale</dt><dd>{str(state.stale)}</dd>
            </dl>
        </section>
        <section class="card">
            <h2>Do something</h2>
            <div class="row">
                <button @click={refetch}>Ask again</button>
                <button @click={(lambda: enter("alice", "wonder"))}>Sign in as alice</button>
                <button @click={(lambda: enter("bob", "builder"))}>Sign in as bob</button>
                <button @click={(lambda: enter("alice", "wrong"))}>Wrong password</button>
                <button @click={update}>Update the name</button>
                <button @click={leave}>Sign out</button>
            </div>
        </section>
        <section class="card">
            <h2>Have the server misbehave</h2>
            <p class="quiet">Nobody is signed out by that. Ask again, watch, and let it work again.</p>
            <div class="row">
                <button @click={(lambda: switch("fails"))}>Answer with errors</button>
                <button @click={(lambda: switch("silent"))}>Cut the line</button>
                <button @click={(lambda: switch("works"))}>Work again</button>
            </div>
        </section>
        <section class="card">
            <h2>What happened</h2>
            <ol class="log" reversed>{[line(*entry) for entry in reversed(log)]}</ol>
        </section>
        <section class="card">
            <h2>Why it asked, or did not</h2>
            <ol class="log trace" reversed>{[reason(*entry) for entry in reversed(trace)]}</ol>
        </section>
    """


for name in ("signed_in", "signed_out", "updated", "expired", "error"):
    provider.on(name, on_event)
logger = logging.getLogger("nextauth_py")
logger.setLevel(logging.DEBUG)
logger.addHandler(TraceHandler())
logger.propagate = False  # PyScript would show it to everybody
provider.subscribe(lambda state: note("state", f"{state.status}{', stale' if state.stale else ''}"))
