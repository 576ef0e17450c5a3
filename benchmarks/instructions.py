"""How many instructions a vector of numbers takes: ``python -m benchmarks.instructions``.

Reads the loops of the compiled core with objdump: for each formula that of value and gradient, and
the loops that drivers run beside it. A core with two vector units runs at most two a cycle.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from fastloss import _core

from .tables import markdown

WIDTH = {"zmm": 64, "ymm": 32, "xmm": 16}
REGISTER = {"avx512": "zmm", "avx2": "ymm", "baseline": "xmm"}
LOOP = re.compile(
    r"(map_loop<\w+, \w+, 3,|AlongSums<.*>::term_loop<true>|emit_loop<\w+, .*, 2, \w+>"
    r"|row_maximum<\w+>|add_segment<\w+>|\bsum_block)"
)
LINE = re.compile(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)")


def functions() -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
    """Name, and address, mnemonic and operands of every instruction, of each function."""
    command = ["objdump", "-dC", "--no-show-raw-insn", _core.__file__]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for part in re.split(r"\n(?=[0-9a-f]+ <)", text):
        head, _, body = part.partition("\n")
        found = (LINE.match(line) for line in body.splitlines())
        name = (
            head.partition("<")[2].replace("fastloss::", "").replace("(anonymous namespace)::", "")
        )
        yield name, [(int(m[1], 16), m[2], m[3]) for m in found if m]


def innermost_loop(instructions: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The longest loop that holds no other."""
    position = {address: i for i, (address, _, _) in enumerate(instructions)}
    loops = []
    for i, (_, mnemonic, operands) in enumerate(instructions):
        start = position.get(int(operands.split()[0], 16)) if re.match("j.*", mnemonic) else None
        if start is not None and start <= i:
            loops.append((start, i))
    inner = [
        (a, b)
        for a, b in loops
        if not any(a <= c and d <= b and (c, d) != (a, b) for c, d in loops)
    ]
    return max((instructions[a : b + 1] for a, b in inner), key=len, default=[])


def main() -> None:
    register = REGISTER[_core.isa()]
    lines = []
    for name, instructions in functions():
        if not LOOP.search(name):
            continue
        loop = innermost_loop(instructions)
        vector = [(m, o) for _, m, o in loop if register in o]
        if not vector:
            continue
        moves = sum(bool(re.match("v?mov", m)) for m, _ in vector)
        size = 8 if "double" in name else 4
        short = LOOP.search(name)[0].rstrip(",")
        lines.append([short, str(WIDTH[register] // size), str(len(vector)), str(moves)])
    lines = sorted(set(map(tuple, lines)))
    print(
        markdown(
            ["loop", "numbers", "vector instructions", "of them moves"],
            [list(line) for line in lines],
        )
    )


if __name__ == "__main__":
    main()
