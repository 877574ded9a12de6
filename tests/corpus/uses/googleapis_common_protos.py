"""Google's shared messages: all modules loaded, dates, money, routes and errors built and turned to JSON."""

from __future__ import annotations

import importlib
import pkgutil

import google.api
import google.rpc
import google.type
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.rpc import code_pb2, error_details_pb2
from google.type import color_pb2, date_pb2, latlng_pb2, money_pb2, timeofday_pb2


def main() -> None:
    for package in (google.api, google.rpc, google.type):
        names = sorted(
            one.name
            for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
            if one.name.endswith("_pb2")
        )
        loaded = [importlib.import_module(name) for name in names]
        print(
            package.__name__,
            len(package.__path__),
            len(names),
            sum(len(one.DESCRIPTOR.message_types_by_name) for one in loaded),
        )
    print(json_format.MessageToJson(money_pb2.Money(currency_code="EUR", units=3, nanos=5), indent=None))
    print(
        date_pb2.Date(year=2026, month=1).SerializeToString(),
        timeofday_pb2.TimeOfDay(hours=3),
        latlng_pb2.LatLng(latitude=1.5),
    )
    rule = http_pb2.HttpRule(
        get="/v1/{name=x/*}", additional_bindings=[http_pb2.HttpRule(post="/v1", body="*")]
    )
    options = descriptor_pb2.MethodOptions()
    options.Extensions[annotations_pb2.http].CopyFrom(rule)
    print(
        options,
        descriptor_pb2.MethodOptions.FromString(options.SerializeToString())
        .Extensions[annotations_pb2.http]
        .get,
    )
    print(
        code_pb2.Code.Name(5),
        code_pb2.Code.Value("ABORTED"),
        json_format.ParseDict({"red": 0.5}, color_pb2.Color()),
    )
    print(error_details_pb2.BadRequest(field_violations=[{"field": "f", "description": "d"}]))
    print(descriptor_pool.Default().FindFileByName("google/type/money.proto").package, google.api.__file__)
