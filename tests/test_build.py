"""The compiled objects: what they export, and that every formula's loops fill whole vectors."""

import hashlib
import os
import re
import runpy
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import fastloss as fl
from fastloss._native import core

pytestmark = pytest.mark.xdist_group("build")  # what it builds is built once

ROOT = Path(__file__).parents[1]
COMPILER = os.environ.get("CXX", "g++")
INCLUDE = ["-I", str(ROOT / "fastloss/include")]

# The registers that a loop must use; what they are called is the only thing an ISA is asked for.
REGISTER = {"baseline": "xmm", "avx2": "ymm", "avx512": "zmm"}
# And what it must not use, because CPUs that run it may lack it.
FORBIDDEN = {
    "baseline": re.compile(r"%[yz]mm|%k[0-7]"),
    "avx2": re.compile(r"%zmm|%k[0-7]|%[xy]mm(1[6-9]|[23]\d)"),
    "avx512": re.compile("(?!)"),
}

# Every function that mentions a formula is its loop, but for those that call the loops of a row.
CALLERS = ("across_block<", "along_block<", "sum_row<", "emit_row<", "pair_group<", "scan_group<")
# Of those, what may be inlined: walks over sorted groups, whose steps need the one before.
WALKS = ("walk_back<", "walk_there<", "Ranks<", "widened<")
ROW_LOOPS = ("::term_loop", "::fit_loop", "::loop(", "emit_loop<", "emit_columns<",
             "finish_rows<", "pair_loop<", "mass_loop", "scan_emit_loop<")  # fmt: skip
# The sums over the rows of a block.
SUM_LOOPS = (">::fold(", "column_maxima<", "add_segment<", "add_to_others<", "add_to_total<")

# ---- compiling


def setup_flags():
    """Source and compiler flags of every object, as setup.py has them."""
    os.environ["FASTLOSS_PURE"], kept = "1", os.environ.get("FASTLOSS_PURE")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("setuptools.setup", lambda **options: None)
            names = runpy.run_path(str(ROOT / "setup.py"))
    finally:
        os.environ.pop("FASTLOSS_PURE")
        if kept is not None:
            os.environ["FASTLOSS_PURE"] = kept
    return {source: [*names["CPP_FLAGS"], *flags] for source, flags in names["SOURCES"].items()}


SOURCES = setup_flags()
OBJECTS = [Path(source).stem.removeprefix("kernels_") for source in SOURCES if "kernels_" in source]
"""Instruction sets with dtypes."""
ISAS = list(dict.fromkeys(name.partition("_")[0] for name in OBJECTS))
KERNELS = {name: schema for name, schema, *_ in core.kernels()} if core is not None else {}
VALUE_ONLY = {fl.get(name).kernel for name in fl.losses(gradient=False)}


each_object = pytest.mark.parametrize("name", OBJECTS)


def register_of(name):
    return REGISTER[name.partition("_")[0]]


def sources():
    """Every file that an object may depend on."""
    return [ROOT / "setup.py", *sorted((ROOT / "csrc").rglob("*.[ch]pp")),
            *sorted((ROOT / "fastloss/include").iterdir())]  # fmt: skip


def compile_source(source, flags, to):
    """An object file; raises with the compiler's message, warnings included."""
    command = [COMPILER, *flags, "-Werror", "-fPIC", *INCLUDE, "-c", str(source), "-o", str(to)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def up_to_date(path):
    return path.stat().st_mtime > max(source.stat().st_mtime for source in sources())


@pytest.fixture(scope="session")
def objects():
    """Every object: the build's, one kept from an earlier run, or new."""
    digest = hashlib.sha256(COMPILER.encode())
    for source in sources():
        digest.update(source.read_bytes())
    kept = ROOT / "build" / "test-objects" / digest.hexdigest()[:16]
    found = {}

    def find(name):
        source = f"csrc/kernels_{name}"
        for path in (ROOT / "build").glob(f"temp*/{source}.o"):
            if up_to_date(path):
                found[name] = path
                return
        found[name] = kept / f"{name}.o"
        if not found[name].exists():
            new = kept / f"{name}.{os.getpid()}"  # other processes may compile it too
            compile_source(ROOT / f"{source}.cpp", SOURCES[f"{source}.cpp"], new)
            new.rename(found[name])

    kept.mkdir(parents=True, exist_ok=True)
    for old in set(kept.parent.iterdir()) - {kept}:
        shutil.rmtree(old, ignore_errors=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(find, OBJECTS))
    return found


# ---- reading machine code

HEADER = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(?:(?:lock|repz?|notrack|bnd|data16|cs) )*(\S+) *(.*)$")


def disassembled(path):
    """Yields the name and the instructions (address, mnemonic, operands) of every function."""
    command = ["objdump", "-d", "-C", "--no-show-raw-insn", str(path)]
    name, instructions = None, []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if header := HEADER.match(line.rstrip()):
                if name:
                    yield name, instructions
                name, instructions = header[1], []
            elif found := INSTRUCTION.match(line.rstrip()):
                instructions.append((int(found[1], 16), found[2], found[3]))
    if name:
        yield name, instructions


def successors(instructions):
    """Where control may go after each instruction, within the function."""
    position = {address: i for i, (address, _, _) in enumerate(instructions)}
    for i, (_, mnemonic, operands) in enumerate(instructions):
        following = []
        if mnemonic.startswith("j"):
            target = re.match("[0-9a-f]+", operands)
            if target and int(target[0], 16) in position:
                following.append(position[int(target[0], 16)])
        if not mnemonic.startswith(("ret", "jmp")) and i + 1 < len(instructions):
            following.append(i + 1)
        yield following


def in_loops(instructions):
    """The instructions that can run again: the cycles of the flow graph (Tarjan, 1972)."""
    graph = list(successors(instructions))
    order, low, stacked = {}, {}, set()
    stack, looping = [], set()
    for root in range(len(graph)):
        work = [] if root in order else [(root, 0)]
        while work:
            node, edge = work.pop()
            if edge == 0:
                order[node] = low[node] = len(order)
                stack.append(node)
                stacked.add(node)
            if edge < len(graph[node]):
                work.append((node, edge + 1))
                if graph[node][edge] not in order:
                    work.append((graph[node][edge], 0))
                continue
            low[node] = min([low[node], *(low[n] for n in graph[node] if n in stacked)])
            if low[node] == order[node]:
                cycle = stack[stack.index(node) :]
                del stack[-len(cycle) :]
                stacked.difference_update(cycle)
                if len(cycle) > 1 or node in graph[node]:
                    looping.update(cycle)
    return [instructions[i] for i in sorted(looping)]


def is_move(mnemonic):
    return re.match("v?(mov|broadcast)", mnemonic) is not None


def is_scalar(mnemonic):
    """Arithmetic on one number: SSE's and AVX's ...ss and ...sd, and all of x87."""
    one = re.search("(ss|sd)$|^v?cvt.*(ss|sd)", mnemonic) is not None
    return mnemonic.startswith("f") or (one and not is_move(mnemonic))


def is_packed(mnemonic):
    moves = re.match("v?(un?pck|shuf|perm|insert|extract)", mnemonic)
    return mnemonic.endswith(("ps", "pd")) and not is_move(mnemonic) and not moves


def complaint(instructions, register):
    """What keeps a function's loops from being whole vectors, or None."""
    loop = in_loops(instructions)
    calls = sorted(
        {o.partition("<")[2].rstrip(">") or o for _, m, o in loop if m.startswith("call")}
    )
    if calls:
        return f"calls {', '.join(calls)} in its loop"
    scalar = sorted({m for _, m, _ in loop if is_scalar(m)})
    if scalar:
        return f"computes one number at a time in its loop: {', '.join(scalar)}"
    packed = [o for _, m, o in loop if is_packed(m)]
    if packed and not any(register in operands for operands in packed):
        return f"never uses {register} registers in its loop"
    return None


def loops_of(disassembly, formula):
    """The functions of a formula that may not compute one number at a time."""
    return {
        name: instructions
        for name, instructions in disassembly.items()
        if re.search(rf"\b{formula}\b", name)
        and not any(part in name for part in CALLERS)
        and (name.endswith("_loop") or "_loop(" in name or not any(w in name for w in WALKS))
    }


def bad_loops(functions, register):
    """One line for each function whose loops are not whole vectors."""
    wrong = {name: complaint(i, register) for name, i in functions.items()}
    return [f"{name}: {text}" for name, text in wrong.items() if text]


@pytest.fixture(scope="session")
def disassembly(objects):
    """By object: the instructions of every function."""
    return {
        name: {n.replace("fastloss::(anonymous namespace)::", ""): i for n, i in disassembled(path)}
        for name, path in objects.items()
    }


def camel_case(name):
    return "".join(word.capitalize() for word in name.split("_"))


@pytest.mark.parametrize("kernel", KERNELS)
@each_object
def test_formula_loops_fill_vectors(disassembly, name, kernel):
    own = loops_of(disassembly[name], camel_case(kernel))
    packed = [
        function
        for function, instructions in own.items()
        if any(is_packed(m) and register_of(name) in o for _, m, o in in_loops(instructions))
    ]
    dtype = "float" if name.endswith("32") and KERNELS[kernel] != "scan" else "double"
    assert any(f"<{dtype}, " in function for function in packed), "no loop was found"
    bad = bad_loops(own, register_of(name))
    assert not bad, "\n".join(bad)


@each_object
def test_sums_over_rows_fill_vectors(disassembly, name):
    own = {n: i for n, i in disassembly[name].items() if any(part in n for part in SUM_LOOPS)}
    assert all(any(part in n for n in own) for part in SUM_LOOPS)
    bad = bad_loops(own, register_of(name))
    assert not bad, "\n".join(bad)


def symbols(path, *options):
    """The kind and name of every symbol."""
    command = ["nm", "-C", *options, str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [tuple(line[17:].split(" ", 1)) for line in text.splitlines()]


BLOCKS = {
    "map": ("map_block",),
    "row": ("across_block", "along_block"),
    "pair": ("pair_group",),
    "scan": ("scan_group",),
}


@each_object
def test_every_formula_has_loops(objects, name):
    """So that no loop escapes under another name."""
    names = [symbol for _, symbol in symbols(objects[name])]
    assert all(any(part in n for n in names) for part in (*ROW_LOOPS, *CALLERS))
    for kernel, schema, *_ in core.kernels():
        for block in BLOCKS[schema]:
            start = f"void fastloss::(anonymous namespace)::{block}<"
            own = [n for n in names if n.startswith(start) and f"::{camel_case(kernel)}," in n]
            # value, and where there is a gradient grad, both, hess, both of these, all
            expected = 1 if kernel in VALUE_ONLY else 6
            assert len({n.partition("(long")[0] for n in own}) == expected, (block, kernel)


SCRATCH = """
#include "csrc/map.hpp"
extern "C" float expf(float);
namespace fastloss {{
namespace {{
template <class T>
struct Scratch {{
    Point<T> operator()(T prediction, T target) const {{
        T r = prediction - target;
        {body}
        return {{r, {{r}}, {{r}}}};
    }}
}};
}}
}}
extern "C" fastloss_block scratch;
fastloss_block scratch = fastloss::map_block<float, fastloss::Scratch, FASTLOSS_VALUE>;
"""


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("r = r * r;", None),
        ("r = expf(r);", "calls expf"),
        ("while (r > T(1)) r = r * T(0.5);", "one number at a time"),
    ],
)
def test_a_scalar_loop_is_found(tmp_path, isa, body, wrong):
    source = tmp_path / "scratch.cpp"
    source.write_text(SCRATCH.format(body=body))
    flags = [*SOURCES[f"csrc/kernels_{isa}_float32.cpp"], "-I", str(ROOT)]
    # linking resolves the call's target, so that its name can be read
    compile_source(source, flags, tmp_path / "scratch.o")
    command = [COMPILER, "-shared", str(tmp_path / "scratch.o"), "-o", str(tmp_path / "scratch.so")]
    subprocess.run(command, check=True)
    found = bad_loops(loops_of(dict(disassembled(tmp_path / "scratch.so")), "Scratch"),
                      REGISTER[isa])  # fmt: skip
    assert (wrong in found[0]) if wrong else not found


def test_a_narrow_loop_is_found():
    loop = [(0, "vaddps", "%ymm1,%ymm0,%ymm0"), (4, "jne", "0 <f>"), (6, "ret", "")]
    assert complaint(loop, "ymm") is None
    assert complaint(loop, "zmm") == "never uses zmm registers in its loop"


# ---- what objects hold


@each_object
def test_one_global_and_nothing_the_linker_could_share(objects, name):
    """A weak copy compiled for a newer CPU could be handed to an older one."""
    kinds = symbols(objects[name], "--defined-only")
    shared = [symbol for kind, symbol in kinds if kind in "WwVvu"]
    assert not shared
    assert [symbol for kind, symbol in kinds if kind.isupper()] == [f"fastloss_{name}"]


@each_object
def test_no_library_mathematics(objects, name):
    undefined = {symbol for _, symbol in symbols(objects[name], "--undefined-only")}
    allowed = {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
    own = {n for n in undefined if n.startswith("fastloss::")}  # compiled for any CPU
    assert undefined - own <= allowed


@each_object
def test_frames_fit_into_small_stacks(disassembly, name):
    """Threads that others made may have 512 KB in all."""
    taken = {
        int(found[1], 16): function
        for function, instructions in disassembly[name].items()
        for _, mnemonic, operands in instructions
        if mnemonic == "sub" and (found := re.match(r"\$0x([0-9a-f]{1,8}),%rsp", operands))
    }
    largest = max(taken)
    assert 0 < largest < 160 * 1024, taken[largest]


@each_object
def test_only_instructions_of_the_set(disassembly, name):
    bad = {
        f"{function}: {mnemonic} {operands}"
        for function, instructions in disassembly[name].items()
        for _, mnemonic, operands in instructions
        if FORBIDDEN[name.partition("_")[0]].search(operands)
    }
    assert not bad, sorted(bad)[:10]


@pytest.mark.full
@pytest.mark.parametrize("compiler", [*filter(shutil.which, ("g++", "clang++"))])
@pytest.mark.parametrize("source", SOURCES)
def test_no_warnings(compiler, source):
    command = [compiler, *SOURCES[source], "-Werror", "-fsyntax-only", *INCLUDE]
    done = subprocess.run([*command, str(ROOT / source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("language", "standard"), [("c", "c99"), ("c++", "c++11")])
def test_the_header_is_plain_c(tmp_path, language, standard):
    source = tmp_path / "user.c"
    source.write_text('#include "fastloss.h"\nint user(void) { return fastloss_kernel_count(); }\n')
    command = [COMPILER, "-x", language, f"-std={standard}", "-pedantic", "-Wall", "-Werror"]
    include = ["-I", fl.get_include(), "-fsyntax-only", str(source)]
    done = subprocess.run([*command, *include], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_cython_declarations_match_the_header():
    """Cython trusts the .pxd; a field that the header lacks would only fail at some user's."""
    header = (ROOT / "fastloss/include/fastloss.h").read_text()
    declarations = (ROOT / "fastloss/fastloss.pxd").read_text()
    for name in set(re.findall(r"\bfastloss_\w+|\bFASTLOSS_\w+", declarations)):
        assert re.search(rf"\b{name}\b", header), name
