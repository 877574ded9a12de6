"""Tables computed, joined, cast, written as Parquet, Feather, ORC, CSV and JSON, sent by IPC and Flight, and scanned."""

from __future__ import annotations

import datetime
import decimal
import io
import multiprocessing
import os
import pickle

os.environ["GRPC_VERBOSITY"] = "NONE"  # Flight brings its own gRPC, which logs with times

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, dataset, feather, flight, fs, ipc, json, orc, parquet


class Server(flight.FlightServerBase):
    """Keeps tables in memory."""

    def __init__(self) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.tables: dict[bytes, pa.Table] = {}

    def do_put(
        self, context: object, descriptor: flight.FlightDescriptor, reader: object, writer: object
    ) -> None:
        self.tables[descriptor.path[0]] = reader.read_all()

    def do_get(self, context: object, ticket: flight.Ticket) -> flight.RecordBatchStream:
        return flight.RecordBatchStream(self.tables[ticket.ticket])


def total(table: pa.Table) -> int:
    return pc.sum(table["n"]).as_py()


def main() -> None:
    print(pa.__version__, pa.lib.__file__, os.path.isfile(os.path.join(pa.get_include(), "arrow", "api.h")))
    table = pa.table({
        "n": pa.array([1, 2, None, 4], pa.int32()), "s": pa.array(["a", "ü", None, "b"]).dictionary_encode(),
        "d": [decimal.Decimal("1.25"), None, decimal.Decimal("3.50"), decimal.Decimal("9.99")],
        "t": pa.array([datetime.datetime(2026, 1, 1)] * 4, pa.timestamp("us", tz="Europe/Berlin")),
        "l": [[1, 2], [], None, [3]], "m": [{"x": 1}, {"x": 2}, None, {"x": 4}],
    })  # fmt: skip
    print(table.schema, table.num_rows, table.nbytes > 0, pickle.loads(pickle.dumps(table)).equals(table))
    print(
        pc.sum(table["n"]),
        pc.strftime(table["t"], "%H:%M %Z")[0],
        pc.utf8_upper(pc.cast(table["s"], pa.string())).to_pylist(),
    )
    print(table.group_by("s").aggregate([("n", "sum")]).sort_by([("n_sum", "descending")]).to_pydict())
    print(
        table.select(["n", "s"])
        .join(pa.table({"n": pa.array([1, 4], pa.int32()), "w": ["x", "y"]}), "n")
        .select(["n", "w"])
        .sort_by("n")
        .to_pylist()
    )
    for compression in ("snappy", "gzip", "brotli", "zstd", "lz4", "none"):
        parquet.write_table(table, f"{compression}.parquet", compression=compression)
        print(
            compression,
            parquet.read_table(f"{compression}.parquet").equals(table),
            parquet.ParquetFile(f"{compression}.parquet").metadata.num_row_groups,
        )
    feather.write_feather(table, "t.feather")
    orc.write_table(table.select(["n"]), "t.orc")
    print(feather.read_table("t.feather").equals(table), orc.read_table("t.orc").to_pydict())
    print(
        csv.read_csv(io.BytesIO(b"a,b\n1,x\n2,y\n")).to_pydict(),
        json.read_json(io.BytesIO(b'{"a": [1]}\n{"a": []}\n')).to_pydict(),
    )
    csv.write_csv(table.select(["n"]), "t.csv")
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    print(
        ipc.open_stream(sink.getvalue()).read_all().equals(table),
        pa.compress(b"x" * 100, "zstd", asbytes=True)[:4].hex(),
    )
    dataset.write_dataset(
        table.select(["n", "l"]), "parts", format="parquet", partitioning=["n"], partitioning_flavor="hive"
    )
    print(
        sorted(name for name in os.listdir("parts")),
        dataset.dataset("parts", partitioning="hive").count_rows(filter=pc.field("n") > 1),
    )
    local = fs.LocalFileSystem()
    print(
        sorted(info.base_name for info in local.get_file_info(fs.FileSelector("."))),
        fs.FileSystem.from_uri("file:///tmp")[1],
    )
    print(
        pa.array(np.arange(3)).to_numpy(),
        pa.array([1.0, 2.0]).to_pandas().sum(),
        pa.Tensor.from_numpy(np.eye(2)).shape,
    )
    print(bytes(memoryview(pa.py_buffer(b"abc"))), pa.default_memory_pool().backend_name, pa.cpu_count() > 0)
    for action in (
        lambda: pa.array([1, "x"]),
        lambda: table["none"],
        lambda: parquet.read_table("t.csv"),
        lambda: pc.cast(pa.array(["x"]), pa.int8()),
        lambda: pa.decimal128(99),
    ):
        try:
            action()
        except (pa.ArrowException, KeyError, ValueError) as error:
            print(type(error).__name__, str(error).splitlines()[0][:70])
    with Server() as server:
        client = flight.connect(f"grpc://127.0.0.1:{server.port}")
        writer, _ = client.do_put(flight.FlightDescriptor.for_path("key"), table.schema)
        writer.write_table(table)
        writer.close()
        print(client.do_get(flight.Ticket(b"key")).read_all().equals(table))
        client.close()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(total, [table]))
    pc.register_scalar_function(
        lambda context, x: pc.multiply(x, 3),
        "triple",
        {"summary": "s", "description": "d"},
        {"x": pa.int64()},
        pa.int64(),
    )
    print(pc.call_function("triple", [pa.array([1, 2])]).to_pylist(), len(pc.list_functions()) > 200)
