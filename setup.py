"""Builds what setuptools cannot declare: an extension whose kernels are compiled once for each
instruction set. ``FASTLOSS_PURE=1`` leaves it out; ``FASTLOSS_BASELINE=1`` compiles for the
baseline alone.

``CXXFLAGS`` and ``LDFLAGS`` work as ever; ``FASTLOSS_CXXFLAGS`` come after the flags that are set
here, for what is to override them.
"""

import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CPP_FLAGS = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-g0"]
# Never -ffast-math: NaN, infinities and the order of operations are part of every result.
KERNEL_FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
KERNEL_FLAGS += ["-fno-tree-loop-distribute-patterns"]  # no memset in a loop of few numbers
# A select stays one: what these make of several on one condition are branches, not vectors.
KERNEL_FLAGS += ["-fno-tree-pre", "-fno-thread-jumps", "-fno-split-paths"]
ISA_FLAGS = {
    "baseline": [],
    "avx2": ["-march=x86-64-v3"],
    "avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
BASELINE = ["-DFASTLOSS_BASELINE"] if os.environ.get("FASTLOSS_BASELINE") == "1" else []
if BASELINE or platform.machine().lower() not in ("x86_64", "amd64"):
    ISA_FLAGS = {"baseline": []}

COMMON = ("dispatch", "driver", "few_segments", "groups", "ranks", "segments", "tally")
COMMON += ("thread_count", "threads", "threshold")
SOURCES = {f"csrc/{name}.cpp": ["-O2"] for name in COMMON}
SOURCES["csrc/dispatch.cpp"] += BASELINE
SOURCES["csrc/segments.cpp"] = ["-O3"]  # a loop over the few words of a unit unrolls
SOURCES |= {
    f"csrc/kernels_{isa}_{dtype}.cpp": KERNEL_FLAGS + flags
    for isa, flags in ISA_FLAGS.items()
    for dtype in ("float32", "float64")
}


class BuildCore(build_ext):
    """Compiles every source with its own flags, several at a time."""

    def build_extension(self, extension):
        if extension.name == "fastloss._core":
            extra = os.environ.get("FASTLOSS_CXXFLAGS", "").split()
            # those of a checkout that is developed stay, for tests that read them
            folder = "build/temp" if self.editable_mode and not extra else self.build_temp

            def compile_source(item):
                source, flags = item
                return self.compiler.compile(
                    [source],
                    output_dir=folder,
                    include_dirs=extension.include_dirs,
                    extra_postargs=[*CPP_FLAGS, *flags, *extra],
                    depends=extension.depends,
                )

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                for objects in pool.map(compile_source, SOURCES.items()):
                    extension.extra_objects += objects
        super().build_extension(extension)


def extensions():
    import numpy
    from Cython.Build import cythonize

    watched = [*Path("csrc").rglob("*.[ch]pp"), *Path("fastloss").rglob("*.pxd")]
    watched += [*Path("fastloss/include").glob("*.h"), Path("fastloss/_methods.py")]
    core = Extension(
        "fastloss._core",
        ["fastloss/_core.pyx"],
        include_dirs=["fastloss/include", numpy.get_include()],
        define_macros=[
            ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
            ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
        ],
        depends=[str(path) for path in watched],
        # pool threads run in its text, so it must stay mapped
        extra_link_args=["-Wl,-z,nodelete"] if sys.platform == "linux" else [],
        language="c++",
    )
    return cythonize([core], build_dir="build/cython", language_level=3)


if os.environ.get("FASTLOSS_PURE") == "1":
    setup()
else:
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildCore})
