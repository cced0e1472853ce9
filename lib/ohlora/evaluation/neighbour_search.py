"""How fast are the nearest of a million codes found? ``python -m ohlora.evaluation.neighbour_search`` (see --help).

Exact search compares with every vector. Approximate indexes look at a part: IVF (Jégou, Douze & Schmid 2011) at the
few cells of a k-means partition that lie nearest, HNSW (Malkov & Yashunin 2018) along a graph of neighbours. What they
may miss is measured: recall@10 is the share of the true ten nearest that the index returns.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path

import faiss
import numpy as np
import pandas as pd

from ohlora.config import PRETRAINED, load_profile

NEAREST = 10
INDEXES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("Flat", "", (0,)),
    ("IVF1024,Flat", "nprobe", (8, 32, 128)),
    ("IVF1024,SQ8", "nprobe", (32, 128)),
    ("HNSW32,Flat", "efSearch", (32, 128, 512)),
)
"""faiss factory string, its search-time parameter, the values tried."""


def many_codes(codes: np.ndarray, number: int, seed: int = 0) -> np.ndarray:
    """Codes of portraits that were never painted, with the statistics of real ones, float32 (number, dimensions).

    A smoothed bootstrap (Silverman 1986, section 6.4.1): a real code plus normal noise with the covariance of the
    codes, of such a width h that the whole keeps mean and covariance.
    """
    if len(codes) < 2:
        raise ValueError(f"codes has {len(codes)} rows; allowed: at least 2")
    random = np.random.default_rng(seed)
    n, dimensions = codes.shape
    width = (4 / ((dimensions + 2) * n)) ** (1 / (dimensions + 4))  # Silverman's rule
    values, vectors = np.linalg.eigh(np.cov(codes.T))
    root = (vectors * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
    mean = codes.mean(axis=0)
    result = np.empty((number, dimensions), dtype=np.float32)
    for start in range(0, number, 100_000):
        part = result[start : start + 100_000]
        noise = random.standard_normal(part.shape, dtype=np.float32) @ root
        part[:] = mean + (codes[random.integers(0, n, len(part))] - mean + width * noise) / np.sqrt(1 + width**2)
    return result


def search_table(
    vectors: np.ndarray,
    queries: np.ndarray,
    indexes: Iterable[tuple[str, str, tuple[int, ...]]] = INDEXES,
    threads: int = 1,
) -> pd.DataFrame:
    """Recall and latency of faiss indexes over the same vectors.

    Args:
        vectors: float32 (n, dimensions), searched. queries: float32 (m, dimensions), asked one by one.
        indexes: as INDEXES. threads: that faiss may use; a single query uses one anyway.

    Returns:
        One row each: index, setting, build_seconds, megabytes (as a file), recall_at_10, median_ms, p95_ms.
    """
    if len(vectors) < NEAREST:
        raise ValueError(f"vectors has {len(vectors)} rows; allowed: at least {NEAREST}")
    faiss.omp_set_num_threads(threads)
    exact = faiss.IndexFlatL2(vectors.shape[1])
    exact.add(vectors)
    true = exact.search(queries, NEAREST)[1]
    rows = []
    for factory, parameter, values in indexes:
        start = time.perf_counter()
        index = faiss.index_factory(vectors.shape[1], factory)
        index.train(vectors[: 64 * 1024])
        index.add(vectors)
        built = time.perf_counter() - start
        size = faiss.serialize_index(index).nbytes / 1e6
        for value in values:
            if parameter:
                faiss.ParameterSpace().set_index_parameter(index, parameter, value)
            found, milliseconds = [], []
            for query in queries:
                start = time.perf_counter()
                found.append(index.search(query[None], NEAREST)[1][0])
                milliseconds.append(1000 * (time.perf_counter() - start))
            shared = [len(np.intersect1d(a, b)) / NEAREST for a, b in zip(found, true, strict=True)]
            rows.append(
                {
                    "index": factory,
                    "setting": f"{parameter}={value}" if parameter else "exact",
                    "build_seconds": built,
                    "megabytes": size,
                    "recall_at_10": float(np.mean(shared)),
                    "median_ms": float(np.median(milliseconds)),
                    "p95_ms": float(np.quantile(milliseconds, 0.95)),
                }
            )
    return pd.DataFrame(rows)


def main(arguments: list[str] | None = None) -> None:
    """Command line: codes of generated portraits, many of their like, the table of indexes."""
    from ohlora.recommend import load_autoencoder
    from ohlora.stylegan import load_generator

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--portraits", type=int, default=1000, help="generated, whose codes are the pattern")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=PRETRAINED / "neighbour_search.json")
    options = parser.parse_args(arguments)
    profile = load_profile(options.profile)
    generator, autoencoder = load_generator(profile), load_autoencoder(profile)
    z = generator.sample_z(options.portraits, 500_000 + options.seed)
    codes = autoencoder.encode(generator.pictures(z, size=autoencoder.size))
    everything = many_codes(codes, options.vectors + options.queries, options.seed)
    table = search_table(everything[: options.vectors], everything[options.vectors :], threads=options.threads)
    content = {
        "vectors": options.vectors,
        "queries": options.queries,
        "dimensions": int(codes.shape[1]),
        "threads": options.threads,
        "seed": options.seed,
        "rows": table.round(4).to_dict("records"),
    }
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
