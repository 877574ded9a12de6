"""Linear algebra through numpy's bundled OpenBLAS, and one C extension beside it."""

import json

import markupsafe._speedups
import numpy as np

matrix = np.array([[4.0, 1.0], [2.0, 3.0]])
signal = np.fft.rfft(np.sin(np.arange(64) * np.pi / 8))
print(
    json.dumps(
        {
            "solution": np.linalg.solve(matrix, [1.0, 2.0]).round(6).tolist(),
            "eigenvalues": sorted(np.linalg.eigvals(matrix).real.round(6).tolist()),
            "peak": int(np.abs(signal).argmax()),
            "random": np.random.default_rng(7).integers(0, 100, 4).tolist(),
            "escaped": str(markupsafe.escape("<&>")),
            "speedups": markupsafe._speedups.__file__.endswith(".so"),
            "file": np.__file__,
            "version": np.__version__,
        }
    )
)
