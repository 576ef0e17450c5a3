"""Predictions of two models as Parquet files: what ``benchmarks.evaluation`` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FILES, GROUP = 10, 1_000_000
COUNTRIES = [f"country {i:02}" for i in range(20)]


def write(folder: Path, rows: int) -> None:
    """Rows of an outcome, two models' probabilities, a weight and a country, in ten files."""
    folder.mkdir(parents=True, exist_ok=True)
    countries = pa.array(COUNTRIES)
    for i in range(FILES):
        path = folder / f"part{i}.parquet"
        left = rows // FILES + (i < rows % FILES)
        rng, writer = np.random.default_rng(i), None
        while left:
            n = min(left, GROUP)
            left -= n
            p = rng.uniform(0.01, 0.99, n).astype(np.float32)
            noise = rng.normal(0, 0.05, n).astype(np.float32)
            codes = np.minimum(rng.exponential(4, n).astype(np.int32), len(COUNTRIES) - 1)
            table = pa.table(
                {
                    "p_a": p,
                    "p_b": np.clip(p + noise, 0.005, 0.995),
                    "y": (rng.random(n) < p).astype(np.int8),
                    "w": rng.integers(1, 9, n).astype(np.float32) / 4,
                    "country": pa.DictionaryArray.from_arrays(codes, countries),
                }
            )
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
        if writer:
            writer.close()
