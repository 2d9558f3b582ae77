"""Protocol buffer messages made at run time, for the few of TensorFlow Serving's that are in use here.

Its own package of generated messages is large, follows another TensorFlow and brings gRPC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = re.compile(r"(?:oneof (\w+): )?(repeated )?([\w<>, ]+?) (\w+) = (\d+)")
MAP = re.compile(r"map<(\w+), (\w+)>")
SCALARS = {"double": 1, "int64": 3, "int32": 5, "bool": 8, "string": 9, "bytes": 12, "uint32": 13}
MESSAGE, OPTIONAL, REPEATED = 11, 1, 3  # TYPE_MESSAGE, LABEL_OPTIONAL, LABEL_REPEATED of descriptor.proto


def message_types(messages: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Classes of the messages, by name.

    A field is written as in a .proto file, `repeated ModelConfig config = 1`, a member of a oneof as
    `oneof policy_choice: Latest latest = 100`. Message types are those of `messages`, none are nested.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto", package="tensorflow.serving", syntax="proto3"
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for line in fields:
            _add_field(message, line)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{name}"))
        for name in messages
    }


def _add_field(message: Any, line: str) -> None:
    match = FIELD.fullmatch(line)
    if match is None:
        raise ValueError(f"not a field of a message: {line!r}")
    oneof, repeated, kind, name, number = match.groups()
    field = message.field.add(name=name, number=int(number), label=REPEATED if repeated else OPTIONAL)
    if map_match := MAP.fullmatch(kind):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        for place, entry_kind in enumerate(map_match.groups(), 1):
            entry_field = entry.field.add(name=("key", "value")[place - 1], number=place, label=OPTIONAL)
            _set_type(entry_field, entry_kind)
        field.label = REPEATED
        kind = f"{message.name}.{entry.name}"
    _set_type(field, kind)
    if oneof:
        declared = [declaration.name for declaration in message.oneof_decl]
        if oneof not in declared:
            message.oneof_decl.add(name=oneof)
            declared.append(oneof)
        field.oneof_index = declared.index(oneof)


def _set_type(field: Any, kind: str) -> None:
    if kind in SCALARS:
        field.type = SCALARS[kind]
    else:
        field.type = MESSAGE
        field.type_name = f".tensorflow.serving.{kind}"
