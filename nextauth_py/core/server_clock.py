"""The server's clock, from the Date headers of its responses. Pure: times are arguments."""

from __future__ import annotations


class ServerClock:
    """The offset between this machine's clock and the server's.

    A Date header names a whole second that had begun when the answer was written, and the answer arrived
    later still. So the server's clock is never behind what this one says, and less than a second and the
    answer's way ahead of it.

    Attributes:
        is_sure: Whether the offset is known, and this machine's clock has not jumped since.
        offset: Seconds that the server's clock is ahead of this one.
    """

    def __init__(self) -> None:
        self.is_sure = False
        self.offset = 0.0

    def hear(self, date: float, received: float) -> None:
        """Set the offset from a response's date and the time at which it was received."""
        self.offset = date - received
        self.is_sure = True

    def doubt(self) -> None:
        """Note that this machine's clock has jumped."""
        self.is_sure = False

    def trust(self) -> None:
        """Trust the offset although the server sends no date, as on another origin."""
        self.is_sure = True


def parse_date(text: str) -> float | None:
    """An HTTP date as seconds since the epoch; None if it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 50 ms in a page, which hardly ever needs it

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
