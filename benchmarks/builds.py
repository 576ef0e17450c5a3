"""Builds of fastloss, each a package of its own under build/bench-compare, reused by content."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "bench-compare"
SOURCES = ("csrc", "fastloss", "setup.py", "pyproject.toml", "README.md", "LICENSE")
FLAGS = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "FASTLOSS_CXXFLAGS")


def default_base() -> str:
    """HEAD when the sources differ from it, else where it left upstream, else its parent."""
    if _git("status", "--porcelain", "--", *SOURCES):
        return "HEAD"
    branch = _git("rev-parse", "--symbolic-full-name", "HEAD")
    upstream = _git("for-each-ref", "--format=%(upstream)", branch)
    fork = upstream and _git("merge-base", "HEAD", upstream)
    return fork if fork not in ("", _git("rev-parse", "HEAD")) else "HEAD^"


def describe(revision: str) -> str:
    """A commit's short name and subject."""
    return _git("log", "-1", "--format=%h (%s)", revision, "--")


def build_revision(revision: str) -> Path:
    """The folder to import a revision's fastloss from."""
    return _build(_git("rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}"))


def build_working_tree() -> Path:
    """The folder to import the working tree's fastloss from, new files included."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    index = {"GIT_INDEX_FILE": str(FOLDER / "index")}
    _git("add", "--all", "--", *SOURCES, **index)
    return _build(_git("write-tree", **index))


def _build(tree: str) -> Path:
    present = [name for name in SOURCES if _git("ls-tree", tree, "--", name)]
    made_by = [sys.version, platform.machine(), np.__version__, *map(os.environ.get, FLAGS)]
    content = _git("ls-tree", "-r", tree, "--", *present) + repr(made_by)
    package = FOLDER / hashlib.sha256(content.encode()).hexdigest()[:16]
    if package.exists():
        return package
    print(f"building {package.relative_to(ROOT)} (about a minute)", file=sys.stderr)
    source, unfinished = FOLDER / "source", FOLDER / "unfinished"
    for folder in (source, unfinished):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", tree, "--", *present], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-build-isolation", "--no-deps", "--no-cache-dir", "--target", unfinished]
    subprocess.run([*pip, *options, source], check=True, cwd=source)
    unfinished.rename(package)  # whole or not at all
    shutil.rmtree(source)
    return package


def _git(*arguments: str, **environment: str) -> str:
    run = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return run.stdout.strip()
