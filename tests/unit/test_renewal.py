"""What a Python from a snapshot has of the machine that it was made on, and must not keep."""

from __future__ import annotations

import logging
import os
import random
import time

import pytest

from nextauth_py.bundle.pyodide.reseed import renew


@pytest.fixture(autouse=True)
def python_of_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setattr(logging, "_startTime", 0)
    for name, value in {"timezone": 1, "altzone": 2, "daylight": 3, "tzname": ("A", "B")}.items():
        monkeypatch.setattr(time, name, value)


def test_the_random_numbers_are_others_each_time() -> None:
    numbers = set()
    for _ in range(3):
        random.seed(1)
        renew("C")
        numbers.add(random.random())
    assert len(numbers) == 3


def test_the_language_is_the_visitors() -> None:
    renew("de_AT.UTF-8")
    assert os.environ["LANG"] == "de_AT.UTF-8"


@pytest.mark.parametrize(
    ("zone", "timezone", "altzone", "names"),
    [
        ("UTC", 0, 0, ("UTC", "UTC")),
        ("Asia/Tokyo", -32_400, -32_400, ("JST", "JST")),
        ("Europe/Vienna", -3_600, -7_200, ("CET", "CEST")),
        ("Australia/Sydney", -36_000, -39_600, ("AEST", "AEDT")),
        ("America/New_York", 18_000, 14_400, ("EST", "EDT")),
    ],
)
def test_the_time_zone_is_the_visitors_as_python_itself_has_it(
    zone: str, timezone: int, altzone: int, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        renew("C")
        assert (time.timezone, time.altzone, time.tzname) == (timezone, altzone, names)
        assert time.daylight == int(timezone != altzone)
    finally:
        monkeypatch.undo()
        time.tzset()
