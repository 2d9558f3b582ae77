"""What the exact JSON parser returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, Union


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object with its members in their order, repeated names included."""

    members: list[tuple[bytes, JsonValue]]

    def __contains__(self, name: str) -> bool:
        key = name.encode()
        return any(member == key for member, _ in self.members)

    def __getitem__(self, name: str) -> JsonValue:
        """The first member of that name, as rapidjson's `FindMember`."""
        key = name.encode()
        for member, value in self.members:
            if member == key:
                return value
        raise KeyError(name)


# Strings stay bytes: a request may hold what is not UTF-8, and a tensor takes it as it is.
JsonValue: TypeAlias = Union[bool, int, float, bytes, list["JsonValue"], JsonObject, None]  # noqa: UP007, list is recursive

BASE64_KEY = b"b64"


def is_base64(value: JsonValue) -> bool:
    """Whether the value is `{"b64": "..."}` and nothing else: bytes, not an object."""
    return (
        type(value) is JsonObject
        and len(value.members) == 1
        and value.members[0][0] == BASE64_KEY
        and type(value.members[0][1]) is bytes
    )


def type_name(value: JsonValue) -> str:
    """The type as Serving's messages name it."""
    if type(value) is bool:
        return str(value)
    names = {bytes: "String", int: "Number", float: "Number", list: "Array", JsonObject: "Object"}
    return names.get(type(value), "Null")
