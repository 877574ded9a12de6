"""Frames grouped, joined, resampled, pickled, plotted nowhere, and written to and read from many formats."""

from __future__ import annotations

import io
import os
import pickle
import sqlite3
import warnings

import numpy as np
import pandas as pd


class Shouting(str):
    """A str of its own kind."""


@pd.api.extensions.register_dataframe_accessor("corpus")
class Accessor:
    """An accessor as plugins add them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def cells(self) -> int:
        return self.frame.size


def main() -> None:
    frame = pd.DataFrame({
        "when": pd.date_range("2026-03-28", periods=8, freq="6h", tz="Europe/Berlin"),
        "kind": pd.Categorical(list("abcaabbc")),
        "value": np.arange(8.0),
        "name": ["x", None, "z", "ä", "b", "c", "d", "e"],
    })  # fmt: skip
    frame.loc[3, "value"] = np.nan
    print(frame, frame.dtypes, frame.corpus.cells())
    print(frame.groupby("kind", observed=True)["value"].agg(["sum", "mean", "count", lambda one: one.max()]))
    print(
        frame.set_index("when")["value"].resample("D").sum(),
        frame["value"].rolling(3, min_periods=1).mean().tolist(),
    )
    other = pd.DataFrame({"kind": ["a", "b"], "weight": [1, 2]})
    print(
        frame.merge(other, how="left", on="kind")["weight"].tolist(),
        frame.pivot_table(index="kind", values="value", observed=False),
    )
    for way in ("csv", "json", "html", "xml", "latex", "markdown"):
        try:
            text = getattr(frame.drop(columns="when"), f"to_{way}")()
            print(way, len(text.replace(os.linesep, "\n")))
        except ImportError as error:
            print(way, error)
    print(
        pd.read_csv(io.StringIO("a;b\n1;x\n2;y"), sep=";", engine="c").to_dict("list"),
        pd.read_csv(io.StringIO("a b\n1 2"), sep=r"\s+", engine="python").shape,
    )
    frame.to_parquet("frame.parquet")
    print(pd.read_parquet("frame.parquet").equals(frame), pd.read_feather(_feather(frame)).shape)
    print(pd.read_xml(io.StringIO("<r><row><a>1</a></row></r>"), parser="etree").to_dict())
    with sqlite3.connect(":memory:") as connection:
        frame[["kind", "value"]].to_sql("t", connection, index=False)
        print(pd.read_sql("select kind, sum(value) s from t group by kind", connection).to_dict("list"))
    from sqlalchemy import create_engine

    engine = create_engine("sqlite://")
    frame[["value"]].to_sql("t", engine)
    print(len(pd.read_sql_table("t", engine)), frame.style.format(precision=1).to_html(uuid="u")[:20])
    print(
        pickle.loads(pickle.dumps(frame)).equals(frame),
        frame.query("value > 2 and kind == 'a'").index.tolist(),
    )
    print(pd.eval("1 + 2"), frame["name"].str.upper().tolist(), frame["when"].dt.day_name().unique().tolist())
    print(
        pd.to_datetime(["2026-01-02", "03/04/2026"], format="mixed"),
        pd.Timestamp("2026-10-25 01:30", tz="Europe/Berlin"),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame["missing"]
        except KeyError as error:
            print(repr(error), len(caught))
    try:
        pd.DataFrame({"a": [1]}).plot()
    except ImportError as error:
        print(str(error).splitlines()[0])
    try:
        frame.to_excel("x.xlsx")
    except ImportError as error:
        print(error)
    print(pd._libs.lib.__file__, pd.array([1, None], dtype="Int64"), Shouting("x") in pd.Index(["x"]))


def _feather(frame: pd.DataFrame) -> io.BytesIO:
    out = io.BytesIO()
    frame.to_feather(out)
    out.seek(0)
    return out
