"""The pydantic models of what a server sends. Imported only when there is something to validate."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import core_schema

from .errors import ClientFetchError, SessionValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import GetCoreSchemaHandler

__all__ = ["Provider", "Session", "User", "read_model", "read_providers"]

_MOST_PROBLEMS = 5  # of an answer are named; there may be one for each of its values

M = TypeVar("M", bound=BaseModel)


class _AsItCame:
    """Of a field: a value of another type is kept. A subclass that annotates the field anew refuses it."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        choices: list[Any] = [handler(source), core_schema.any_schema()]
        return core_schema.union_schema(choices, mode="left_to_right")


_Text = Annotated[str | None, _AsItCame]


class User(BaseModel):
    """The signed-in user. A server may leave out any field, and add others: those are kept as they are.

    A number as ``id`` becomes text. Any other value that is no text is kept as it came.
    """

    model_config = ConfigDict(extra="allow")

    id: Annotated[str | None, Field(coerce_numbers_to_str=True), _AsItCame] = None
    name: _Text = None
    email: _Text = None
    image: _Text = None


class Session(BaseModel):
    """A session as the server's session callback made it; subclass it to type the fields that yours adds.

    Attributes:
        user: The user, or None where the server sends none. What is no JSON object is kept as it came.
        expires: When the session ends unless it is used again.

    Example:
        ```python
        class ShopSession(Session):
            role: Literal["customer", "staff"] = "customer"

        SessionProvider(session_type=ShopSession).start()
        ```
    """

    model_config = ConfigDict(extra="allow")

    user: Annotated[User | None, _AsItCame] = None
    expires: datetime


class Provider(BaseModel):
    """One way to sign in, as ``get_providers()`` lists them."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    id: str
    name: str
    type: str
    signin_url: str = Field(alias="signinUrl")
    callback_url: str = Field(alias="callbackUrl")


class _ServersField:
    """A method of pydantic's old interface, until a server has a field of its name: ``user.copy``.

    What begins with ``model_`` stays pydantic's, so that a session can be written whatever is in it.
    """

    def __init__(self, model: type[BaseModel], name: str) -> None:
        self._model, self._name = model, name

    def __get__(self, instance: BaseModel | None, owner: type[BaseModel]) -> Any:
        extra = None if instance is None else instance.__pydantic_extra__
        if extra and self._name in extra:
            return extra[self._name]
        return getattr(super(self._model, owner if instance is None else instance), self._name)


for _model in (User, Session, Provider):
    for _name in dir(BaseModel):
        if not _name.startswith(("_", "model_")):
            setattr(_model, _name, _ServersField(_model, _name))


def read_model(model: type[M], raw: Mapping[str, Any]) -> M:
    """Validate, with an error that names the fields and never their values.

    Raises:
        SessionValidationError: The data does not fit the model.
    """
    try:
        try:
            return model.model_validate(raw)
        except ValidationError:  # a strict type takes dates, enums and models from JSON only
            return model.model_validate_json(json.dumps(raw, default=str))
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
        yield name
        for way in getattr(field.validation_alias, "choices", [field.validation_alias]):
            yield from map(str, getattr(way, "path", [way]))
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
