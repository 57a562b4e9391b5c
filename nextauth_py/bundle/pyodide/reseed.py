"""Renew what a snapshot's memory holds of the machine and the moment it was made on.

What strings hash to stays: every dictionary in the memory relies on it. Each bundle has its own.
"""

from __future__ import annotations

import logging
import os
import random
import time

WINTER, SUMMER = 1, 7  # months; in the south it is the other way round


def renew(language: str) -> None:
    """Renew random seeds, language and time zone.

    Args:
        language: Of the visitor, as the environment has it: ``en_US.UTF-8``.
    """
    random.seed()
    os.environ["LANG"] = language
    logging._startTime = time.time_ns()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way
    _renew_timezone()


def _renew_timezone() -> None:
    """Set the time zone from the C library, as Python does at its start."""
    year = time.localtime().tm_year
    zones = [time.localtime(time.mktime((year, month, 1, 0, 0, 0, 0, 0, -1))) for month in (WINTER, SUMMER)]
    standard, daylight = sorted(zones, key=lambda zone: zone.tm_gmtoff)
    if standard.tm_gmtoff == daylight.tm_gmtoff:
        standard, daylight = zones
    time.timezone, time.altzone = -standard.tm_gmtoff, -daylight.tm_gmtoff
    time.daylight = int(time.timezone != time.altzone)
    time.tzname = standard.tm_zone, daylight.tm_zone
