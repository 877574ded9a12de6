"""Optimisation, integration, sparse and dense algebra, signals, statistics, interpolation, images, C callbacks, every submodule."""

from __future__ import annotations

import ctypes
import importlib
import io
import os
import pickle
import pkgutil
import warnings

import numpy as np
import scipy
from scipy import (
    LowLevelCallable,
    cluster,
    constants,
    fft,
    integrate,
    interpolate,
    linalg,
    ndimage,
    optimize,
    signal,
    sparse,
    spatial,
    special,
    stats,
)
from scipy import io as scipy_io
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg

from uses import helpers


def residual(x: np.ndarray) -> np.ndarray:
    return np.array([x[0] ** 2 + x[1] - 3, x[0] - x[1] ** 2])


def main() -> None:
    print(
        scipy.__version__,
        linalg._fblas.__file__,
    )
    print(
        optimize.minimize(optimize.rosen, [1.3, 0.7, 0.8], method="BFGS").x.round(4),
        optimize.root(residual, [1, 1]).x.round(6),
    )
    print(
        optimize.linprog([-1, -2], A_ub=[[1, 1]], b_ub=[4], bounds=[(0, 3), (0, 3)]).fun,
        optimize.brentq(np.cos, 1, 2),
    )
    print(
        optimize.differential_evolution(optimize.rosen, [(0, 2)] * 2, rng=1, workers=1).x.round(3),
        optimize.curve_fit(lambda x, a: a * x, [1, 2], [2, 4])[0],
    )
    print(
        integrate.quad(lambda x: np.exp(-(x**2)), -np.inf, np.inf)[0].__round__(10),
        integrate.solve_ivp(lambda t, y: -y, (0, 1), [1], method="LSODA", rtol=1e-9).y[0, -1].round(7),
    )
    library = ctypes.CDLL("ucrtbase.dll" if os.name == "nt" else None)
    library.cos.restype, library.cos.argtypes = ctypes.c_double, [ctypes.c_double]
    print(round(integrate.quad(LowLevelCallable(library.cos), 0, 1)[0], 10))
    matrix = np.array([[4.0, 1], [2, 3]])
    print(
        linalg.expm(matrix).round(4),
        [part.round(4).tolist() for part in linalg.lu(matrix)],
        linalg.sqrtm(matrix).round(4),
        linalg.schur(matrix)[0].round(4),
    )
    big = (
        sparse.random_array((200, 200), density=0.05, rng=np.random.default_rng(3))
        + sparse.eye_array(200) * 5
    )
    print(
        np.abs(big @ sparse_linalg.spsolve(big.tocsc(), np.ones(200)) - 1).max() < 1e-9,
        sparse_linalg.eigsh(sparse.diags_array(np.arange(1.0, 51)), k=2, v0=np.ones(50))[0].round(5),
    )
    print(
        csgraph.dijkstra(sparse.csr_array([[0, 1, 4], [0, 0, 2], [0, 0, 0]]), indices=0),
        sparse_linalg.splu(big.tocsc()).shape,
    )
    print(
        signal.find_peaks(np.sin(np.arange(30)))[0],
        signal.lfilter(*signal.butter(2, 0.3), np.ones(5)).round(5),
        fft.dct([1.0, 2, 3]).round(5),
    )
    print(
        stats.norm.ppf([0.05, 0.95]).round(5),
        stats.ttest_ind([1, 2, 3], [2, 3, 5]).pvalue.round(6),
        round(stats.gamma.fit(stats.gamma.rvs(2, size=50, random_state=1), floc=0)[0], 4),
    )
    print(
        interpolate.CubicSpline([0, 1, 2], [0, 1, 4])(1.5),
        interpolate.RBFInterpolator([[0, 0], [1, 1], [0, 1]], [0, 1, 2], kernel="linear")([[0.5, 0.5]]).round(
            5
        ),
    )
    print(
        spatial.ConvexHull([[0, 0], [1, 0], [0, 1], [0.2, 0.2]]).area.__round__(5),
        spatial.KDTree([[0, 0], [3, 4]]).query([3, 3]),
        spatial.Delaunay([[0, 0], [1, 0], [0, 1], [1, 1.1]]).simplices.shape,
        spatial.transform.Rotation.from_euler("x", 90, degrees=True).as_quat().round(4),
    )
    print(
        special.gamma(5.5).round(6),
        special.jv(0, [1, 2]).round(6),
        ndimage.gaussian_filter(np.eye(3), 1).round(4)[1],
        ndimage.label(np.eye(3))[1],
        constants.c,
    )
    print(
        cluster.hierarchy.fcluster(cluster.hierarchy.linkage([[0], [1], [10]]), 2, "distance"),
        cluster.vq.kmeans2(np.array([[0.0], [9.0]]), np.array([[1.0], [8.0]]))[1],
    )
    box = io.BytesIO()
    scipy_io.savemat(box, {"a": matrix})
    box.seek(0)
    print(scipy_io.loadmat(box)["a"].tolist(), pickle.loads(pickle.dumps(big)).nnz == big.nnz)
    names = sorted(
        one.name
        for one in pkgutil.walk_packages(scipy.__path__, "scipy.", onerror=lambda name: None)
        if ".tests" not in one.name and "conftest" not in one.name and "setup" not in one.name
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        failed = []
        for name in names:
            try:
                importlib.import_module(name)
            except ImportError as error:
                failed.append((name, str(error)))
    print(len(names), failed)
    try:
        linalg.cholesky([[1, 2], [2, 1]])
    except linalg.LinAlgError as error:
        print(error)
    print(helpers.python("-c", "from scipy import special; print(special.erf(0.5))"))
