"""The session in the words of other libraries. Each module here needs the library that it is named after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ProviderMissingError
from ..provider import SessionProvider, current_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..state import SessionState


def follow(
    write: Callable[[SessionState[Any]], object], provider: SessionProvider[Any] | None = None
) -> Callable[[], None]:
    """Write the state now, and whenever it changes.

    Args:
        write: Called with each state.
        provider: Whose state; by default the current one's.

    Returns:
        A function that ends it.

    Raises:
        ProviderMissingError: No provider has been started.
    """
    found = provider if provider is not None else current_provider()
    if found is None:
        raise ProviderMissingError
    stop = found.subscribe(write)  # first, because what writes may change the session
    write(found.state)
    return stop
