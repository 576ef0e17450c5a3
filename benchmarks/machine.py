"""What a result was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import time
from pathlib import Path
from typing import Any

import fastloss as fl

PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "numexpr", "torch", "jax", "optax")


class Run:
    """When a run began, how long it took, and what else the machine did meanwhile."""

    def __init__(self) -> None:
        self.began, self.load = time.time(), load_average()

    def describe(self) -> dict[str, Any]:
        """What every file of results begins with."""
        return {
            "machine": describe(),
            "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.began)),
            "seconds": round(time.time() - self.began, 1),
            "load_average": {"before": self.load, "after": load_average()},
        }


def describe() -> dict[str, Any]:
    """Processor, caches, instruction set, compiler, versions."""
    config = fl.show_config()
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "caches": caches(),
        "isa": config.get("isa"),
        "isas": config.get("isas"),
        "compiler": config.get("compiler"),
        "system": platform.platform(),
        "versions": {
            "fastloss": config["fastloss"],
            "python": platform.python_version(),
            **{name: _version(name) for name in PACKAGES},
        },
    }


def caches() -> dict[str, int]:
    """Bytes of the first core's data caches by level, as ``{"L1": ..., "L2": ..., "L3": ...}``."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if _read(folder / "type") != "Instruction":
            size = re.fullmatch(r"(\d+)K", _read(folder / "size"))
            if size:
                found[f"L{_read(folder / 'level')}"] = int(size[1]) * 1024
    return found


def load_average() -> float | None:
    """Of the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _cpu() -> str:
    model = re.search(r"^model name\s*:\s*(.*)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    return model[1] if model else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
