"""After a sign-out: who signs in stays signed in, and what was replaced stays away, whatever else happens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nextauth_py import SessionProvider, sign_out, use_session
from nextauth_py.testing import Browser
from nextauth_py.testing.browser import Tab
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import EXPIRES, SESSION_COOKIE, FakeServer, json_answer
from .test_renewed_cookies import answer_late, leave, renew, shown_by

SESSION = "GET /api/auth/session"
SIGNOUT = "POST /api/auth/signout"
SERVER = FakeServer()
ALICE = {"user": {"name": "alice"}, "expires": EXPIRES}


def is_signed_in(browser: MemoryBrowser) -> bool:
    return SESSION_COOKIE in browser.cookies


# --- genuine sign-ins that are signed out again ---


async def test_a_page_that_knows_of_nobody_does_not_watch_for_ever(browser: MemoryBrowser) -> None:
    after = await leave(browser.open_tab("/account"))
    await asyncio.sleep(0.01)
    after.started, after.embedded = after.now(), "null"
    await asyncio.sleep(3)  # Python boots
    provider = SessionProvider(host=after).start()
    await provider.ready()
    await asyncio.sleep(600)
    renew(browser, "bob")  # by OAuth, in another tab
    other = SessionProvider(host=browser.open_tab()).start()
    await other.ready()
    await asyncio.sleep(10)
    assert is_signed_in(browser)
    assert name_in(provider.state) == name_in(other.state) == "bob"


async def test_a_look_that_failed_is_not_made_up_for_minutes_later(tab: MemoryHost) -> None:
    browser = tab.browser
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    browser.set_online(online=False)
    await asyncio.sleep(1)
    tab.set_visible(visible=False)
    await asyncio.sleep(1)
    browser.set_online(online=True)
    await asyncio.sleep(600)
    renew(browser)  # by OAuth, in another tab
    other = SessionProvider(host=browser.open_tab()).start()
    await other.ready()
    tab.set_visible(visible=True)
    await asyncio.sleep(10)
    assert is_signed_in(browser)


async def test_a_lonely_tab_does_not_make_up_for_a_look_minutes_later(tab: MemoryHost) -> None:
    browser = tab.browser
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    browser.set_online(online=False)
    await asyncio.sleep(1)
    tab.set_visible(visible=False)
    await asyncio.sleep(1)
    browser.set_online(online=True)
    await asyncio.sleep(600)
    renew(browser)
    tab.set_visible(visible=True)
    await asyncio.sleep(10)
    assert is_signed_in(browser)


async def test_who_signs_in_elsewhere_within_seconds_and_comes_back_stays_signed_in(tab: MemoryHost) -> None:

    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(7)
    renew(tab.browser)
    tab.focus()
    await asyncio.sleep(5)
    assert is_signed_in(tab.browser)


async def test_a_tab_that_leaves_long_after_its_sign_out_is_not_looked_for(browser: MemoryBrowser) -> None:
    page = browser.open_tab()
    first, second = await signed_in(page), await signed_in(browser.open_tab())
    await first.sign_out(redirect=False)
    await asyncio.sleep(5)
    page.change_lifecycle("left")  # to GitHub, which returns at once
    await asyncio.sleep(1.2)
    renew(browser)
    await asyncio.sleep(3)  # Python boots
    assert is_signed_in(browser)
    third = SessionProvider(host=browser.open_tab()).start()
    await third.ready()
    await asyncio.sleep(1)
    assert name_in(second.state) == "alice"


@pytest.mark.parametrize("name", ["alice", "bob"])
async def test_who_signs_in_on_the_way_to_the_next_page_stays_signed_in(
    browser: MemoryBrowser, name: str
) -> None:
    after = await leave(browser.open_tab("/account"))  # the server redirects to its sign-in page
    await asyncio.sleep(4)
    renew(browser, name)  # by a password manager, or GitHub, which returns at once
    provider = SessionProvider(host=after).start()
    await provider.ready()
    await asyncio.sleep(5)
    assert is_signed_in(browser)


@pytest.mark.parametrize("name", ["alice", "bob"])
async def test_who_signs_in_while_python_boots_stays_signed_in(browser: MemoryBrowser, name: str) -> None:
    after = await leave(browser.open_tab("/account"))
    after.started = after.now()
    await asyncio.sleep(12)
    renew(browser, name)
    await asyncio.sleep(3)
    provider = SessionProvider(host=after).start()
    await provider.ready()
    await asyncio.sleep(5)
    assert is_signed_in(browser)


async def test_a_provider_that_starts_after_a_closed_one_believes_the_server(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    provider.close()
    await asyncio.sleep(3)
    renew(tab.browser, "bob")  # in React
    again = SessionProvider(host=tab).start()
    await again.ready()
    await asyncio.sleep(5)
    assert name_in(again.state) == "bob"


async def test_answers_of_other_origins_are_no_evidence(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    began = tab.now()
    await asyncio.sleep(0.1)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(6)
    renew(tab.browser)
    tab.see_answer("https://analytics.example/beat", began=began)
    await asyncio.sleep(5)
    assert is_signed_in(tab.browser)


async def test_a_sign_in_in_another_tab_calls_a_repetition_off(browser: MemoryBrowser) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    browser.deliveries = lambda: [0.005]
    await first.sign_out(redirect=False)
    renew(browser)
    check, sign_in = (
        browser.network.hold(SESSION),
        browser.network.hold("POST /api/auth/callback/credentials"),
    )
    await asyncio.sleep(0.45)
    signing = asyncio.create_task(
        second.sign_in("credentials", username="bob", password="builder", redirect=False)
    )
    while not second.engine._store.is_mutating:
        await asyncio.sleep(0)
    await asyncio.sleep(0.002)  # its message is on the way
    check.set()
    await asyncio.sleep(1)
    sign_in.set()
    result = await signing
    assert result
    assert result.ok
    await asyncio.sleep(10)
    assert is_signed_in(browser)


# --- sign-outs that do not hold ---


async def test_a_sign_out_while_loading_holds(tab: MemoryHost) -> None:
    renew(tab.browser)
    provider = SessionProvider(host=tab).start()
    answer_late(tab.browser, 0.3)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_a_sign_out_while_loading_tells_the_next_page(tab: MemoryHost) -> None:
    renew(tab.browser)
    provider = SessionProvider(host=tab).start()
    await provider.sign_out()
    assert tab.kept


async def test_an_update_during_the_looks_does_not_end_them(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, 0.3)
    await asyncio.sleep(0.1)
    await provider.update()
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_a_wrong_password_during_the_looks_does_not_end_them(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, 0.3)
    await asyncio.sleep(0.1)
    await provider.sign_in("credentials", username="bob", password="nonsense", redirect=False)
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_a_sign_out_behind_an_update_looks_for_the_updated_session(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    updating = asyncio.create_task(provider.update({"name": "Alice II"}))
    signing_out = asyncio.create_task(provider.sign_out(redirect=False))
    await updating
    cookie = tab.browser.cookies[SESSION_COOKIE]
    await signing_out
    asyncio.get_running_loop().call_later(0.2, tab.browser.set_cookies, {SESSION_COOKIE: cookie})
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_a_session_that_changes_with_each_answer_is_recognised(tab: MemoryHost) -> None:
    """As a session callback that hands out a new access token does."""
    network = tab.browser.network
    provider = SessionProvider({**ALICE, "accessToken": "1"}, host=tab).start()
    await provider.sign_out(redirect=False)
    renew(tab.browser)
    network.answer_next(SESSION, json_answer({**ALICE, "accessToken": "2"}))
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)
    assert network.count(SIGNOUT) == 2


async def test_providers_of_several_servers_each_tell_their_own_next_page(browser: MemoryBrowser) -> None:
    after = await leave(browser.open_tab("/account"))
    renew(browser)
    SessionProvider(None, base_path="/other", host=after).start()
    provider = SessionProvider(host=after).start()
    await provider.ready()
    assert provider.state.status == "unauthenticated"


async def test_a_read_of_another_tab_is_no_look(browser: MemoryBrowser) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    await first.sign_out(redirect=False)
    answer_late(browser, 1.5)
    await asyncio.sleep(1.3)
    await second.refetch()
    await asyncio.sleep(10)
    assert not is_signed_in(browser)


async def test_closing_after_a_sign_out_that_leaves_the_page_tells_the_next_one_still(
    browser: MemoryBrowser,
) -> None:
    page = browser.open_tab("/account")
    provider = await signed_in(page)
    await provider.sign_out()
    provider.close()  # as `async with SessionProvider()` does
    after = browser.open_tab()
    after.url, after.kept, after.started = page.visited[-1], page.kept, page.now()
    renew(browser)
    await asyncio.sleep(5.5)  # Python boots
    provider = SessionProvider(host=after).start()
    await provider.ready()
    assert provider.state.status == "unauthenticated"


# --- states shown wrongly ---


async def test_a_provider_that_was_asking_hands_nothing_on(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(10)
    await provider.refetch()
    await asyncio.sleep(10)
    react = tab.browser.open_tab()
    del tab.browser.cookies[SESSION_COOKIE]
    channel = react.open_channel("next-auth", lambda _: None)
    assert channel
    tab.browser.network.latency = 0.2
    message = {"event": "session", "data": {"trigger": "signout"}, "timestamp": int(tab.now())}
    channel.post(message)
    await asyncio.sleep(0.3)
    assert provider.state.refreshing
    again = SessionProvider(host=tab).start()
    await again.ready()
    await asyncio.sleep(60)
    assert name_in(again.state) is None


async def test_a_provider_that_was_about_to_ask_hands_nothing_on(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(10)
    await provider.refetch()
    await asyncio.sleep(10)
    react = tab.browser.open_tab()
    del tab.browser.cookies[SESSION_COOKIE]
    channel = react.open_channel("next-auth", lambda _: None)
    assert channel
    channel.post({"event": "session", "data": {"trigger": "signout"}, "timestamp": int(tab.now())})
    await asyncio.sleep(0.005)
    again = SessionProvider(host=tab).start()
    await again.ready()
    await asyncio.sleep(60)
    assert name_in(again.state) is None


async def test_a_restored_page_hands_nothing_on_that_is_not_confirmed(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.change_lifecycle("left")
    await asyncio.sleep(60)
    del tab.browser.cookies[SESSION_COOKIE]  # at the server's own sign-out page
    tab.browser.network.latency = 0.2
    tab.change_lifecycle("restored")
    await asyncio.sleep(0.1)
    assert provider.state.stale
    again = SessionProvider(host=tab).start()
    shown = [name_in(again.state), again.state.stale]
    await again.ready()
    await asyncio.sleep(60)
    assert name_in(again.state) is None
    assert shown in ([None, False], ["alice", True])


async def test_an_assigned_session_is_not_handed_on(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_interval=60)
    await asyncio.sleep(1)
    await provider.refetch()
    await asyncio.sleep(5)
    provider.session = {"user": {"name": "carol"}, "expires": EXPIRES}
    again = SessionProvider(host=tab).start()
    await again.ready()
    await asyncio.sleep(1)
    assert name_in(again.state) == "alice"


# --- always ---


async def test_always_asks_on_the_first_focus_after_a_sign_out(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_on_window_focus="always")
    await provider.sign_out(redirect=False)
    await asyncio.sleep(60)
    renew(tab.browser)
    tab.focus()
    await asyncio.sleep(1)
    assert name_in(provider.state) == "alice"


# --- clocks ---


async def test_a_silent_sign_in_is_noticed_though_the_clock_was_set_back(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(60)
    tab.browser.clock_error -= 3600
    await asyncio.sleep(60)
    renew(tab.browser)
    tab.see_answer("/api/auth/callback/credentials", began=tab.now() - 0.1)
    await asyncio.sleep(5)
    assert name_in(provider.state) == "alice"


# --- leaks, races ---


@pytest.mark.parametrize("at", [0.0, 0.2, 0.4, 0.41, 0.45, 1.7, 1.75])
async def test_closing_during_the_looks_leaves_nothing_open(tab: MemoryHost, at: float) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.02
    await provider.sign_out(redirect=False)
    renew(tab.browser)
    await asyncio.sleep(at)
    provider.close()
    assert tab.open_resources == 0
    await asyncio.sleep(5)
    assert tab.reports == []


@pytest.mark.parametrize("at", [0.0, 0.1, 0.35, 0.39, 0.4, 0.41, 0.43, 0.45, 0.5, 1.0, 1.7, 1.75])
@pytest.mark.parametrize("late", [[], [0.3], [0.39, 1.5]])
@pytest.mark.parametrize("elsewhere", [True, False])
async def test_who_signs_in_with_python_during_the_looks_stays_signed_in(
    browser: MemoryBrowser, at: float, late: list[float], elsewhere: bool
) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    browser.network.latency = 0.02
    await first.sign_out(redirect=False)
    answer_late(browser, *[each for each in late if each < at])
    await asyncio.sleep(at)
    who = second if elsewhere else first
    await who.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await asyncio.sleep(10)
    assert is_signed_in(browser)
    assert name_in(first.state) == name_in(second.state) == "alice"


@pytest.mark.parametrize("tabs", [1, 2, 3])
async def test_sign_outs_in_several_tabs_at_once_hold(browser: MemoryBrowser, tabs: int) -> None:
    hosts = [browser.open_tab() for _ in range(tabs)]
    providers = [await signed_in(each) for each in hosts]
    browser.network.latency = 0.05
    answer_late(browser, 0.2, 0.4, 0.8)
    await asyncio.gather(*(each.sign_out(redirect=False) for each in providers * 2))
    await asyncio.sleep(10)
    assert not is_signed_in(browser)
    assert all(each.reports == [] for each in hosts)


@pytest.mark.parametrize("tabs", [2, 4])
async def test_what_keeps_coming_back_costs_few_sign_outs_in_several_tabs_too(
    browser: MemoryBrowser, tabs: int
) -> None:
    providers = [await signed_in(browser.open_tab()) for _ in range(tabs)]
    await providers[0].sign_out(redirect=False)
    answer_late(browser, *(0.2 * number for number in range(1, 300)))
    await asyncio.sleep(50)
    assert browser.network.count(SIGNOUT) <= 10
    assert browser.network.count(SESSION) <= 60
    assert [name_in(each.state) for each in providers] == ["alice"] * tabs


async def test_a_sign_in_right_behind_a_sign_out_holds(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.05
    out = asyncio.create_task(provider.sign_out(redirect=False))
    await asyncio.sleep(0)
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await out
    await asyncio.sleep(10)
    assert is_signed_in(tab.browser)


async def test_other_tabs_do_not_show_what_has_come_back(browser: MemoryBrowser) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    shown = shown_by(second)
    answer_late(browser, 0.2, 0.9)
    await first.sign_out(redirect=False)
    await asyncio.sleep(10)
    assert shown == [None]


@pytest.mark.parametrize("late", [0.2, 1.2])
async def test_a_page_that_starts_after_a_late_answer_does_not_keep_it(
    browser: MemoryBrowser, late: float
) -> None:
    first = await signed_in(browser.open_tab())
    await first.sign_out(redirect=False)
    await asyncio.sleep(late)
    renew(browser)
    other = SessionProvider(host=browser.open_tab()).start()
    await other.ready()
    await asyncio.sleep(10)
    assert not is_signed_in(browser)
    assert name_in(other.state) is None


async def test_a_page_that_was_left_during_a_look_does_not_go_on_with_it(browser: MemoryBrowser) -> None:
    page = browser.open_tab()
    provider = await signed_in(page)
    browser.network.latency = 0.2
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.9)  # the first look is under way
    assert provider.state.refreshing
    page.change_lifecycle("left")
    await asyncio.sleep(60)
    renew(browser)
    page.change_lifecycle("restored")
    await asyncio.sleep(5)
    assert is_signed_in(browser)


async def test_a_script_that_runs_again_does_not_watch_for_ever(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 1.0
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.2)
    await asyncio.sleep(2.9)  # the second look is due 3.7 s after the sign-out
    again = SessionProvider(host=tab).start()
    await again.ready()
    await asyncio.sleep(600)
    renew(tab.browser, "bob")  # by OAuth, in another tab
    other = SessionProvider(host=tab.browser.open_tab()).start()
    await other.ready()
    await asyncio.sleep(30)
    assert is_signed_in(tab.browser)


async def test_a_first_load_that_failed_does_not_watch_for_ever(
    browser: MemoryBrowser,
) -> None:
    after = await leave(browser.open_tab("/account"))
    browser.set_online(online=False)
    provider = SessionProvider(host=after).start()
    await provider.ready()
    after.set_visible(visible=False)
    await asyncio.sleep(60)
    browser.set_online(online=True)
    await asyncio.sleep(600)
    renew(browser, "bob")  # in another tab
    after.set_visible(visible=True)
    await asyncio.sleep(30)
    assert is_signed_in(browser)


async def test_a_page_that_was_left_by_a_sign_out_does_not_look_when_restored(browser: MemoryBrowser) -> None:
    page = browser.open_tab("/account")
    provider = await signed_in(page)
    await provider.sign_out(callback_url="/login")
    page.change_lifecycle("left")
    await asyncio.sleep(6)
    renew(browser)  # by a password manager
    await asyncio.sleep(1)
    page.change_lifecycle("restored")
    await asyncio.sleep(10)
    assert is_signed_in(browser)


async def test_a_frame_of_another_server_takes_no_message_for_the_next_page(browser: MemoryBrowser) -> None:
    after = await leave(browser.open_tab("/account"))
    renew(browser)
    frame = browser.open_tab("/widget")
    frame.kept = after.kept  # it is the same tab
    SessionProvider(None, base_path="/other", host=frame).start()
    provider = SessionProvider(host=after).start()
    await provider.ready()
    assert provider.state.status == "unauthenticated"


async def test_the_next_script_goes_on_watching_without_storage_too(tab: MemoryHost) -> None:
    tab.has_storage = False
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    SessionProvider(host=tab).start()
    answer_late(tab.browser, 0.3)
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_a_failed_read_of_another_tab_is_no_look(browser: MemoryBrowser) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    await first.sign_out(redirect=False)
    answer_late(browser, 1.1)
    await asyncio.sleep(1.3)
    browser.network.answer_next(SESSION, OSError("down"))
    await second.refetch()
    await asyncio.sleep(10)
    assert not is_signed_in(browser)


async def test_a_look_that_fails_is_made_up_for(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, 0.2)
    await asyncio.sleep(0.3)
    tab.browser.network.answer_next(SESSION, OSError("down"))
    await asyncio.sleep(20)
    assert not is_signed_in(tab.browser)
    assert provider.state.status == "unauthenticated"


@pytest.mark.parametrize("route", ["GET /api/auth/csrf", SIGNOUT, SESSION])
async def test_a_repetition_that_fails_is_made_up_for(tab: MemoryHost, route: str) -> None:
    provider = await signed_in(tab)
    shown = shown_by(provider)
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, 0.2)
    gate = tab.browser.network.hold(SESSION)
    await asyncio.sleep(0.45)
    tab.browser.network.answer_next(route, OSError("down"))
    gate.set()
    await asyncio.sleep(20)
    assert not is_signed_in(tab.browser)
    assert "alice" not in shown


@pytest.fixture
def page() -> Any:
    with Browser() as browser:
        browser.sign_in_as("alice", name="Alice")
        yield browser.open_tab("/account")


def test_a_binding_whose_element_has_left_does_not_keep_the_name(page: Tab) -> None:
    """The router takes a view away, and shows it again later, as Vue's KeepAlive and Turbo's cache do."""
    page.run(lambda: SessionProvider().start())
    page.run(lambda: use_session().bind("#name", text="user.name"))
    element = page.find("#name").tag
    parent = element.parent
    assert parent
    element.extract()
    page.run(lambda: sign_out(redirect=False))
    parent.append(element)
    assert page.text("#name") == ""


@pytest.mark.parametrize("ask", ["refetch", "get_session"])
async def test_who_asks_before_the_look_does_not_see_what_has_come_back(tab: MemoryHost, ask: str) -> None:
    provider = await signed_in(tab)
    shown = shown_by(provider)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.2)
    renew(tab.browser)
    await getattr(provider, ask)()
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)
    assert shown == [None]


async def test_scripts_that_run_twice_go_on_watching(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    SessionProvider(host=tab).start()
    await asyncio.sleep(0.3)
    SessionProvider(host=tab).start()
    answer_late(tab.browser, 0.2)
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_the_warning_of_a_first_load_has_no_values(
    tab: MemoryHost,
) -> None:
    tab.browser.network.answer_next(SESSION, json_answer({"user": "s3cret", "expires": ["s3cret"]}))
    await SessionProvider(host=tab).start().ready()
    assert len(tab.lines) == 1
    assert "s3cret" not in tab.lines[0]


async def test_no_warning_where_the_session_is_known(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    tab.browser.network.answer_next(SESSION, json_answer({}, status=404))
    await provider.refetch()
    assert tab.lines == []


async def test_of_two_sign_outs_at_once_the_page_is_left_once(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.gather(provider.sign_out(), provider.sign_out(redirect=False))
    assert tab.kept
    assert tab.visited == ["https://app.example/account"]


async def test_a_second_sign_out_tells_the_next_page_too(tab: MemoryHost) -> None:
    """A user clicks again, because nothing seems to happen."""
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    await provider.sign_out()
    assert tab.kept


async def test_a_second_sign_out_during_the_looks_does_not_end_them(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.1)
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, 0.2)
    await asyncio.sleep(10)
    assert not is_signed_in(tab.browser)


async def test_a_sign_out_in_another_tab_that_reacts_does_not_end_the_looks(browser: MemoryBrowser) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())

    async def leave_too(_event: object) -> None:
        await second.sign_out(redirect=False)

    second.on("signed_out", leave_too)
    await first.sign_out(redirect=False)
    answer_late(browser, 0.2)
    await asyncio.sleep(10)
    assert not is_signed_in(browser)


async def test_a_repetition_that_keeps_failing_is_no_loop(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    renew(tab.browser)
    tab.browser.network.answer_next(SIGNOUT, OSError("blocked"), times=1000)
    before = len(tab.browser.network.log)
    await asyncio.sleep(600)
    assert len(tab.browser.network.log) - before < 60
    assert provider.state.error


async def test_a_hundred_hostile_byes_cost_few_requests(browser: MemoryBrowser) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    await first.sign_out(redirect=False)
    before = len(browser.network.log)
    for _ in range(100):
        await asyncio.sleep(0.1)
        first.engine.channel.post("bye")
    await asyncio.sleep(20)
    assert len(browser.network.log) - before < 10
    assert second.state.status == "unauthenticated"
