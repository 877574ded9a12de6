"""Spans, metrics and logs made, processed in batches, exported, sampled, and the configuration from entry points."""

from __future__ import annotations

import io
import json
import logging
import os

from opentelemetry import metrics, trace
from opentelemetry.sdk import resources, util
from opentelemetry.sdk._configuration import _import_exporters, _import_id_generator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, TraceIdRatioBased


def main() -> None:
    resource = resources.Resource.create({"service.name": "corpus"})
    print({key: value for key, value in sorted(resource.attributes.items()) if key != "service.instance.id"})
    memory, out = InMemorySpanExporter(), io.StringIO()
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(memory))
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out)))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("corpus", "1.0")
    with tracer.start_as_current_span("outer", attributes={"a": 1}) as outer:
        outer.add_event("event", {"x": [1, 2]})
        try:
            with tracer.start_as_current_span("inner", kind=trace.SpanKind.CLIENT):
                raise ValueError("failed")
        except ValueError:
            pass
    provider.force_flush()
    for span in memory.get_finished_spans():
        print(
            span.name,
            span.kind,
            span.status.status_code,
            dict(span.attributes),
            [(event.name, sorted(event.attributes)) for event in span.events],
            span.parent is not None,
        )
    print(
        sorted(json.loads(out.getvalue().partition("}\n{")[0] + "}"))
        if "}\n{" in out.getvalue()
        else len(out.getvalue()) > 0
    )
    off = TracerProvider(sampler=ALWAYS_OFF).get_tracer("off").start_span("x")
    print(off.is_recording(), TraceIdRatioBased(0.25).get_description(), util.ns_to_iso_str(0))
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader], resource=resource))
    meter = metrics.get_meter("corpus")
    meter.create_counter("calls").add(3, {"k": "v"})
    meter.create_histogram("sizes").record(7)
    meter.create_observable_gauge("gauge", [lambda options: [metrics.Observation(5)]])
    for metric in reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics:
        point = metric.data.data_points[0]
        print(metric.name, type(metric.data).__name__, getattr(point, "value", None) or point.bucket_counts)
    print(
        [one.__name__ for one in _import_exporters(["console"], ["console"], [])[0].values()],
        type(_import_id_generator("random")).__name__,
        ConsoleMetricExporter.__name__,
    )
    os.environ["OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"] = "os,process"
    found = resources.Resource.create()
    print(
        found.attributes["os.type"],
        found.attributes["process.runtime.name"],
        found.attributes["process.executable.path"],
    )
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider.shutdown()
