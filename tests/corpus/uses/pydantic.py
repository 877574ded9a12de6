"""Models validated, serialised, pickled and described; discriminated unions, validators, plugins, lazy imports."""

from __future__ import annotations

import datetime
import enum
import json
import pickle
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

import pydantic
from pydantic import dataclasses, types

T = TypeVar("T")


class Colour(enum.StrEnum):
    RED = "red"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int = pydantic.Field(9, ge=0)


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    name: Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]


class Box(pydantic.BaseModel, Generic[T]):
    content: T


class Owner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_assignment=True, extra="forbid")
    name: str = pydantic.Field(alias="fullName")
    pets: list[Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]] = []
    born: datetime.date
    money: Decimal = Decimal("1.50")
    secret: pydantic.SecretStr = pydantic.SecretStr("s")
    colour: Colour = Colour.RED
    friend: Owner | None = None

    @pydantic.field_validator("born")
    @classmethod
    def past(cls, value: datetime.date) -> datetime.date:
        if value.year > 2100:
            raise ValueError("in the future")
        return value

    @pydantic.computed_field
    @property
    def initial(self) -> str:
        return self.name[0]


@dataclasses.dataclass(frozen=True)
class Pair:
    left: int
    right: types.PositiveInt


def main() -> None:
    data = {
        "fullName": "Ada",
        "born": "1815-12-10",
        "pets": [{"kind": "cat"}, {"kind": "dog", "name": " Rex "}],
    }
    owner = Owner.model_validate(data)
    print(owner.model_dump_json(indent=1), owner == pickle.loads(pickle.dumps(owner)))
    print(json.dumps(Owner.model_json_schema(), sort_keys=True))
    for broken in ({**data, "born": "2200-01-01", "pets": [{"kind": "cow"}]}, {"x": 1}):
        try:
            Owner.model_validate(broken)
        except pydantic.ValidationError as error:
            print(str(error))
    print(Box[int](content="3"), Pair("1", 2), Box[int].__name__)
    adapter = pydantic.TypeAdapter(dict[str, tuple[int, ...]])
    print(adapter.validate_json('{"a": [1, 2]}'), adapter.dump_json({"a": (1,)}))
    made = pydantic.create_model("Made", x=(int, ...), y=(str, "d"))
    print(made(x=1), made.model_fields["x"].annotation)

    @pydantic.validate_call
    def repeat(text: str, times: int) -> str:
        return text * times

    print(repeat("ab", "2"), pydantic.VERSION, pydantic.version.version_info().splitlines()[0].strip() != "")
    print(
        pydantic.AnyUrl("http://example.org/ü").path, pydantic.EmailStr.__name__, sorted(pydantic.__all__)[:3]
    )
