"""All modules of attribute names loaded, and those of stable and moved ones read."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import warnings

from opentelemetry import semconv
from opentelemetry.semconv import attributes, schemas, trace
from opentelemetry.semconv.attributes import http_attributes


def main() -> None:
    names = sorted(one.name for one in pkgutil.walk_packages(semconv.__path__, "opentelemetry.semconv."))
    digest, count = hashlib.sha256(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            for key, value in sorted(vars(importlib.import_module(name)).items()):
                if isinstance(value, str) and key.isupper():
                    count += 1
                    digest.update(f"{name} {key} {value}\n".encode())
        print(trace.SpanAttributes.HTTP_METHOD)
    print(len(names), count, digest.hexdigest())
    print(
        http_attributes.HTTP_REQUEST_METHOD,
        list(http_attributes.HttpRequestMethodValues)[:2],
        attributes.__name__,
    )
    print([one.value for one in schemas.Schemas][-1], schemas.__file__)
