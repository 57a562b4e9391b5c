"""The pages in plain Python, with a browser and an auth server in memory: `pytest tests/test_pages.py`."""

from pathlib import Path

from nextauth_py import sign_out

PAGES = Path(__file__).parents[1] / "public/pages"


def test_a_member_is_welcome(nextauth_browser):
    nextauth_browser.sign_in_as("bob", name="Bob")
    tab = nextauth_browser.open_tab("/members")
    tab.run(PAGES / "members.py")
    assert tab.text("#members") == "Welcome, Bob. The server knows you."


def test_a_stranger_is_led_to_the_sign_in_page(nextauth_tab):
    nextauth_tab.run(PAGES / "members.py")
    assert nextauth_tab.text("#members") == ""
    assert nextauth_tab.visited[0].startswith("/api/auth/signin?error=SessionRequired")


def test_a_page_is_empty_after_a_sign_out_in_another_tab(nextauth_browser):
    nextauth_browser.sign_in_as("bob", name="Bob")
    one, other = nextauth_browser.open_tab("/members"), nextauth_browser.open_tab("/members")
    one.run(PAGES / "members.py")
    other.run(PAGES / "members.py")
    other.run(sign_out(redirect=False))
    assert one.text("#members") == ""


def test_an_admin_sees_the_page_for_admins(nextauth_browser):
    nextauth_browser.sign_in_as("alice", name="Alice", role="admin")
    tab = nextauth_browser.open_tab("/admins")
    tab.run(PAGES / "admins.py")
    assert tab.text("#admins") == "Alice has the role “admin”."


def test_others_are_led_away_from_it(nextauth_browser):
    nextauth_browser.sign_in_as("bob", name="Bob")
    tab = nextauth_browser.open_tab("/admins")
    tab.run(PAGES / "admins.py")
    assert "Bob" not in tab.text("#admins")
    assert tab.visited[0].endswith("/denied")
