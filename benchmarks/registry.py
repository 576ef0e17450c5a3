"""Every loss and output set against every peer that has it: ``python -m benchmarks.registry``.

Writes benchmarks/results/registry.json, or registry-2-threads.json; ``--quick`` only prints.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from itertools import product
from pathlib import Path

import fastloss as fl

from .cases import COLD, Group, run, write
from .compare import RESULTS
from .inputs import unit_losses
from .peers import COMPILED, PEERS
from .registry_summary import summary
from .work import OUTPUTS

SIZES, QUICK_SIZES = (1_000, 100_000, 10_000_000), (1_000, 100_000)
REPETITIONS, COLD_REPETITIONS, QUICK_REPETITIONS = 7, 3, 3
FEW, MANY, MANY_FROM = 10, 1_000, 100_000  # classes; from how many elements on there are many


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    peers = [
        peer
        for peer in PEERS
        if not (peer.name == COMPILED and (options.quick or options.without_compiled))
    ]
    missing = [peer.name for peer in peers if not peer.installed]
    if missing:
        print(f"not installed, so not measured: {', '.join(missing)}", file=sys.stderr)
    groups = [
        Group(
            loss,
            dtype,
            shape,
            variants=tuple(product(OUTPUTS, (False, True))),
            peers=tuple(peer for peer in peers if peer.installed),
            repetitions=options.repetitions or _repetitions(elements, options.quick),
        )
        for loss in options.losses or unit_losses()
        for elements in sizes
        for shape in shapes(loss, elements)
        for dtype in ("float32", "float64")
    ]
    results = run(groups, options.threads) | {"missing": missing}
    print(summary(results))
    output = options.output or (None if options.quick else RESULTS / file_name(options.threads))
    if output:
        write(results, output)


def shapes(loss: str, elements: int) -> list[tuple[int, ...]]:
    """One shape; for losses of rows few classes and, at larger sizes, many."""
    if fl.get(loss).schema == "map":
        return [(elements,)]
    classes = (FEW, MANY) if elements >= MANY_FROM else (FEW,)
    return [(elements // n, n) for n in classes]


def file_name(threads: int) -> str:
    return "registry.json" if threads == 1 else f"registry-{threads}-threads.json"


def _repetitions(elements: int, quick: bool) -> int:
    if quick:
        return QUICK_REPETITIONS
    return COLD_REPETITIONS if elements >= COLD else REPETITIONS


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"no {COMPILED}, the smaller sizes, fewer repetitions; prints only",
    )
    parser.add_argument("--losses", nargs="+", choices=unit_losses(), metavar="NAME")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="numbers of elements")
    parser.add_argument("--threads", type=int, default=1, help="of fastloss and every peer")
    parser.add_argument("--repetitions", type=int, help="samples of each row")
    parser.add_argument(
        "--without-compiled", action="store_true", help=f"no {COMPILED}, which takes minutes"
    )
    parser.add_argument("--output", type=Path, help="a file; without it one in benchmarks/results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # torch's and jax's own; the output is a table
    main()
