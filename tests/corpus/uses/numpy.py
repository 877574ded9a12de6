"""Linear algebra, FFT, random streams, threads, pools, memory maps, ufuncs, C types, pickles and f2py's files."""

from __future__ import annotations

import ctypes
import io
import multiprocessing
import os
import pickle
import threading
import warnings

import numpy as np
from numpy import ctypeslib, testing
from numpy.lib import recfunctions


class Tagged(np.ndarray):
    """A subclass that carries a note through views."""

    note = ""

    def __array_finalize__(self, source: object) -> None:
        self.note = getattr(source, "note", "none")


def trace(seed: int) -> float:
    return round(float(np.trace(np.random.default_rng(seed).normal(size=(50, 50)))), 6)


def main() -> None:
    matrix = np.array([[4.0, 1, 0], [1, 3, 1], [0, 1, 2]])
    print(
        np.linalg.solve(matrix, [1, 2, 3]).round(6),
        np.linalg.eigvalsh(matrix).round(6),
        round(np.linalg.det(matrix), 6),
    )
    print(
        [part.shape for part in np.linalg.svd(np.arange(12.0).reshape(3, 4))], np.linalg.cond(matrix).round(6)
    )
    big = np.random.default_rng(1).normal(size=(300, 300))
    print(np.allclose(big @ np.linalg.inv(big), np.eye(300)), np.einsum("ij,jk->", big, big).round(6))
    print(np.abs(np.fft.rfft(np.sin(np.arange(64) * 2 * np.pi / 8))).argmax())
    for generator in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        print(
            generator.__name__,
            np.random.Generator(generator(7)).integers(0, 100, 4),
            np.random.RandomState(3).rand(1).round(6),
        )
    try:
        np.linalg.inv(np.zeros((2, 2)))
    except np.linalg.LinAlgError as error:
        print(repr(error))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.array([1.0]) / 0
    print([str(one.message) for one in caught], np.geterr())
    results: dict[int, float] = {}
    threads = [threading.Thread(target=lambda n=n: results.update({n: trace(n)})) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(trace, range(6)) == [results[n] for n in range(6)], results[0])
    table = np.array([("a", 1, 2.5), ("b", 2, 3.5)], dtype=[("name", "U4"), ("n", "i4"), ("x", "f8")])
    print(recfunctions.append_fields(table, "y", [1, 2], usemask=False), np.sort(table, order="x")["name"])
    mapped = np.memmap("data.bin", dtype="<i4", mode="w+", shape=(4, 4))
    mapped[:] = np.arange(16).reshape(4, 4)
    mapped.flush()
    print(np.fromfile("data.bin", dtype="<i4").sum(), os.path.getsize("data.bin"))
    box = io.BytesIO()
    np.savez_compressed(box, a=matrix, b=table)
    box.seek(0)
    print(sorted(np.load(box).files), np.loadtxt(io.StringIO("1,2\n3,4"), delimiter=",").tolist())
    tagged = matrix.view(Tagged)
    tagged.note = "kept"
    print(
        tagged[1:].note, pickle.loads(pickle.dumps(matrix, 5)).sum(), type(pickle.loads(pickle.dumps(tagged)))
    )
    view = memoryview(matrix)
    print(view.format, view.shape, bytes(memoryview(matrix.ravel()))[:8].hex())
    array = (ctypes.c_double * 3)(1, 2, 3)
    print(np.ctypeslib.as_array(array).sum(), ctypeslib.ndpointer(dtype=float, ndim=1).__name__)
    print(
        np.frompyfunc(lambda a, b: a + b, 2, 1)([1, 2], [3, 4]),
        np.vectorize(str)([1, 2]),
        np.add.reduce([1, 2, 3]),
    )
    print(
        np.datetime64("2026-03-01") - np.datetime64("2026-02-01"),
        np.array(["b", "a"], dtype=np.dtypes.StringDType()),
    )
    print(np.get_include(), os.path.isfile(os.path.join(np.get_include(), "numpy", "arrayobject.h")))
    print(
        np.polynomial.Polynomial([1, 2, 3]).roots().round(6),
        np.ma.masked_less([1, 5], 3).sum(),
        np.float16(1) / 3,
    )
    testing.assert_allclose([1.0], [1.0 + 1e-9])
    print(
        np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"],
        np._core._multiarray_umath.__file__,
    )
