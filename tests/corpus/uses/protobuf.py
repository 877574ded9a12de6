"""Messages by the C++ core: defined at run time, serialised, as JSON and text, maps, oneofs, well-known types."""

from __future__ import annotations

import datetime
import pickle

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    json_format,
    message,
    message_factory,
    struct_pb2,
    text_format,
    timestamp_pb2,
    wrappers_pb2,
)  # fmt: skip
from google.protobuf.internal import api_implementation


def define() -> type[message.Message]:
    file = descriptor_pb2.FileDescriptorProto(name="corpus.proto", package="corpus", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    kind = descriptor_pb2.FieldDescriptorProto
    person = file.message_type.add(name="Person")
    person.field.add(name="name", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    person.field.add(name="ids", number=2, type=kind.TYPE_SINT64, label=kind.LABEL_REPEATED)
    person.field.add(
        name="born",
        number=3,
        type=kind.TYPE_MESSAGE,
        type_name=".google.protobuf.Timestamp",
        label=kind.LABEL_OPTIONAL,
    )
    person.field.add(
        name="friends",
        number=4,
        type=kind.TYPE_MESSAGE,
        type_name=".corpus.Person",
        label=kind.LABEL_REPEATED,
    )
    person.oneof_decl.add(name="contact")
    person.field.add(name="mail", number=5, type=kind.TYPE_STRING, oneof_index=0, label=kind.LABEL_OPTIONAL)
    person.field.add(name="phone", number=6, type=kind.TYPE_UINT32, oneof_index=0, label=kind.LABEL_OPTIONAL)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("corpus.Person"))


def main() -> None:
    print(api_implementation.Type(), api_implementation._c_module is not None)
    person_type = define()
    person = person_type(name="Ada ü", ids=[1, -2, 1 << 40], mail="a@b")
    person.born.FromDatetime(datetime.datetime(1815, 12, 10))
    person.friends.add(name="Charles", phone=5)
    data = person.SerializeToString(deterministic=True)
    print(data.hex(), person_type.FromString(data) == person, person.WhichOneof("contact"))
    person.phone = 7
    print(person.WhichOneof("contact"), person.HasField("mail"), person.ByteSize())
    print(json_format.MessageToJson(person, sort_keys=True))
    print(text_format.MessageToString(person, as_one_line=True, as_utf8=True))
    print(text_format.Parse('name: "x" ids: [3, 4]', person_type()))
    for action in (
        lambda: person_type.FromString(b"\x0a\xff"),
        lambda: setattr(person, "name", 3),
        lambda: json_format.Parse('{"nam": 1}', person_type()),
        lambda: text_format.Parse("name 3", person_type()),
    ):
        try:
            action()
        except (message.DecodeError, TypeError, json_format.ParseError, text_format.ParseError) as error:
            print(type(error).__name__, str(error)[:80])
    box = any_pb2.Any()
    box.Pack(timestamp_pb2.Timestamp(seconds=5))
    print(
        box.type_url,
        box.Is(duration_pb2.Duration.DESCRIPTOR),
        duration_pb2.Duration(seconds=90).ToJsonString(),
    )
    struct = struct_pb2.Struct()
    struct.update({"a": [1, {"b": None}], "c": "d"})
    print(
        sorted(json_format.MessageToDict(struct).items()),
        wrappers_pb2.Int64Value(value=3),
        empty_pb2.Empty() == empty_pb2.Empty(),
    )
    mask = field_mask_pb2.FieldMask(paths=["name", "ids"])
    target = person_type()
    mask.MergeMessage(person, target)
    print(target.name, pickle.loads(pickle.dumps(timestamp_pb2.Timestamp(seconds=1))).seconds)
    print([field.name for field in person_type.DESCRIPTOR.fields], person_type.DESCRIPTOR.file.name)
    try:
        descriptor_pool.Default().FindMessageTypeByName("corpus.None")
    except KeyError as error:
        print(error)
