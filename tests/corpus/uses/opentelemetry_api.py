"""Contexts, baggage, propagators out of entry points, and no-op providers without an SDK."""

from __future__ import annotations

import asyncio
import contextvars
import os

from opentelemetry import baggage, context, metrics, propagate, trace
from opentelemetry.trace import span as spans
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from uses import helpers


async def task(name: str) -> object:
    token = context.attach(context.set_value("name", name))
    await asyncio.sleep(0)
    value = context.get_value("name")
    context.detach(token)
    return value


async def run() -> list[object]:
    return await asyncio.gather(*(task(name) for name in "abc"))


def main() -> None:
    print(asyncio.run(run()), context.get_value("name"), type(context._RUNTIME_CONTEXT).__name__)
    parent = spans.SpanContext(
        0x0AF7651916CD43DD8448EB211C80319C,
        0xB7AD6B7169203331,
        False,
        spans.TraceFlags(1),
        spans.TraceState([("v", "1")]),
    )
    current = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    current = baggage.set_baggage("user", "ada ü", current)
    carrier: dict[str, str] = {}
    propagate.inject(carrier, current)
    print(carrier, [type(one).__name__ for one in propagate.get_global_textmap()._propagators])
    back = propagate.extract(carrier)
    print(
        trace.get_current_span(back).get_span_context().is_remote,
        baggage.get_all(back),
        TraceContextTextMapPropagator().fields == {"traceparent", "tracestate"},
    )
    tracer = trace.NoOpTracerProvider().get_tracer("x")
    with tracer.start_as_current_span("nothing") as span:
        print(span.is_recording(), span.get_span_context().is_valid, trace.format_trace_id(parent.trace_id))
    metrics.NoOpMeterProvider().get_meter("x").create_counter("c").add(1)
    print(
        trace.Status(trace.StatusCode.ERROR, "bad").description,
        Attributes is not None,
        contextvars.copy_context() is not None,
    )
    os.environ["OTEL_PROPAGATORS"] = "baggage"
    print(
        helpers.python(
            "-c",
            "from opentelemetry import propagate; print([type(one).__name__ for one in propagate.get_global_textmap()._propagators])",
        )
    )
