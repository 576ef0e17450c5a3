"""Time per element against size, from 1 to 10⁸ elements: ``python -m benchmarks.curve``.

Value and gradient in float32; writes benchmarks/results/curve.json.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

from .cases import Group, run, write
from .compare import RESULTS
from .peers import COMPILED, PEERS
from .registry_summary import own, title
from .tables import markdown, number

LARGEST, PEERS_UP_TO = 8, 7  # powers of ten
REPETITIONS = 5
CURVES = {
    # classes of losses of rows, else None
    "squared_error": (None,),
    "sigmoid_cross_entropy": (None,),
    "softmax_cross_entropy": (10, 1_000),
}


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    # for each size a compilation would take seconds
    peers = tuple(peer for peer in PEERS if peer.installed and peer.name != COMPILED)
    groups = [
        Group(
            loss,
            "float32",
            (10**power,) if classes is None else (10**power // classes, classes),
            variants=(("value and gradient", False),),
            peers=peers if power <= PEERS_UP_TO else (),
            repetitions=options.repetitions,
        )
        for loss, kinds in CURVES.items()
        for classes in kinds
        for power in range(options.largest + 1)
        if 10**power >= (classes or 1)
    ]
    results = run(groups, threads=1)
    print(table(results))
    write(results, options.output)


def table(results: dict[str, Any]) -> str:
    """fastloss alone: the picture has the others."""
    lines = [
        [title(case), number(own(case)["nanoseconds"]), f"{number(own(case)['ratio'])} ×"]
        for case in results["cases"]
    ]
    return markdown(["case", "ns per element", "× memory traffic"], lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curve", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help="samples of each row")
    parser.add_argument("--largest", type=int, default=LARGEST, help="size, as a power of ten")
    parser.add_argument("--output", type=Path, default=RESULTS / "curve.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # torch's and jax's own; the output is a table
    main()
