"""The pydantic models of what a server sends. Imported only when there is something to validate."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ClientFetchError, SessionValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Provider", "Session", "User", "read_model", "read_providers"]

_MOST_PROBLEMS = 5  # of an answer are named; there may be one for each of its values

M = TypeVar("M", bound=BaseModel)


class User(BaseModel):
    """The signed-in user. A server may leave out any field, and add others: those are kept as they are."""

    model_config = ConfigDict(extra="allow")

    id: str | None = None
    name: str | None = None
    email: str | None = None
    image: str | None = None


class Session(BaseModel):
    """A session as the server's session callback made it; subclass it to type the fields that yours adds.

    Attributes:
        user: The user, or None where the server sends none.
        expires: When the session ends unless it is used again.

    Example:
        ```python
        class ShopSession(Session):
            role: Literal["customer", "staff"] = "customer"

        SessionProvider(session_type=ShopSession).start()
        ```
    """

    model_config = ConfigDict(extra="allow")

    user: User | None = None
    expires: datetime


class Provider(BaseModel):
    """One way to sign in, as ``get_providers()`` lists them."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    id: str
    name: str
    type: str
    signin_url: str = Field(alias="signinUrl")
    callback_url: str = Field(alias="callbackUrl")


def read_model(model: type[M], raw: Mapping[str, Any]) -> M:
    """Validate, with an error that names the fields and never their values.

    Raises:
        SessionValidationError: The data does not fit the model.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)[
            :_MOST_PROBLEMS
        ]
        declared = set(_declared(model))
        paths = ([str(part) for part in problem["loc"]] for problem in problems)
        fields = tuple(".".join(takewhile(declared.__contains__, path)) or "a field" for path in paths)
        reasons = tuple(problem["type"] for problem in problems)
        raise SessionValidationError(model.__name__, fields, reasons) from None
    except Exception as error:
        raise SessionValidationError(model.__name__, ("all of it",), (type(error).__name__,)) from None


def _declared(model: type[BaseModel], *outer: type[BaseModel]) -> Iterator[str]:
    """The names of a model's fields, and of models in it. What else an error names is the session's own."""
    for name, field in model.model_fields.items():
        yield from filter(None, (name, field.alias))
        for each in (field.annotation, *get_args(field.annotation)):
            if isinstance(each, type) and issubclass(each, BaseModel) and each not in {model, *outer}:
                yield from _declared(each, model, *outer)


def read_providers(url: str, raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Provider]:
    """The ways to sign in, by id, that a URL has answered with.

    Raises:
        ClientFetchError: One of them is not described as NextAuth does.
    """
    try:
        return {name: read_model(Provider, each) for name, each in raw.items()}
    except SessionValidationError as error:
        reason = f"a provider lacks a proper {' and '.join(error.fields)}"
        raise ClientFetchError(url, None, reason) from None
