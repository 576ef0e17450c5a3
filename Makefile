# On a fresh machine `make demo` and `make test` do everything. They need Python >= 3.11, a C++
# compiler and pip's index.

PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CORE := $(wildcard csrc/*.?pp csrc/*/*.?pp fastloss/include/*.h)
CPP := $(CORE) $(wildcard tests/*.?pp tests/*/*.?pp)
PARALLEL := -n auto --dist loadgroup
SOURCES := $(CORE) fastloss/_core.pyx fastloss/_methods.py $(wildcard fastloss/*.pxd) \
	setup.py pyproject.toml

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check lint format sanitize mutate fuzz tables docs bench bench-suite \
	bench-compare wheel clean

help:  ## lists what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.with-demo  ## trains models, compares times and draws curves
	@$(BIN)/python examples/demo.py

test: $(VENV)/.with-test $(VENV)/.with-lint  ## runs all tests and the linters
	@$(BIN)/python -m pytest -m "not alone" $(PARALLEL)
	@$(BIN)/python -m pytest -m alone
	@$(MAKE) --no-print-directory lint

check: lint $(VENV)/.with-test  ## runs the linters and the quick tests
	@$(BIN)/python -m pytest -m "not full and not alone" $(PARALLEL)
	@$(BIN)/python -m pytest -m "not full and alone"

lint: $(VENV)/.with-lint  ## checks style and types
	@echo "ruff, mypy, clang-format"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/clang-format --dry-run --Werror $(CPP)

format: $(VENV)/.with-lint  ## rewrites all files in the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i $(CPP)

sanitize: $(VENV)/.with-test  ## passes the tests under address, behaviour and thread sanitizers
	@cd tests && ../$(BIN)/python -m sanitize

mutate: $(VENV)/.with-test  ## makes every formula a little wrong and has its tests notice
	@cd tests && ../$(BIN)/python -m mutants

fuzz: $(VENV)/.with-test  ## calls the API with arbitrary arguments for ten minutes
	@$(BIN)/python tests/test_fuzz.py 600

tables: $(VENV)/.with-test  ## renews the tables of the docs
	@$(BIN)/python docs/tables.py --write
	@$(BIN)/python -m fastloss.accuracy --write

docs: $(VENV)/.with-docs  ## builds the documentation site into build/site/html
	@$(BIN)/python -m docs.site

bench: $(VENV)/.with-bench  ## compares with every rival, renews the README's table and docs/speed.md
	@$(BIN)/python -m benchmarks.compare
	@$(BIN)/python -m benchmarks.readme_table --write
	@$(BIN)/python -m benchmarks.registry
	@$(BIN)/python -m benchmarks.registry --threads 2
	@$(BIN)/python -m benchmarks.curve
	@$(BIN)/python -m benchmarks.speed_page --write

bench-suite: $(VENV)/.with-bench  ## times every loss of the registry under pytest-benchmark
	@$(BIN)/python -m pytest -c benchmarks/pytest.ini benchmarks

bench-compare: $(VENV)/.with-bench  ## names what became slower since BASE, a revision
	@$(BIN)/python -m benchmarks.guard $(BASE)

wheel: $(VENV)/.tools  ## builds sdist and wheel into dist/
	@$(PIP) install build
	@$(BIN)/python -m build

clean:  ## removes whatever was made, the virtual environment too
	rm -rf $(VENV) build dist examples/output fastloss/*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: the virtual environment with what builds the package, the built package, and each extra.

$(VENV)/.tools: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fastloss needs Python >= 3.11; choose one with make PYTHON=...")'
	@echo "Setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' > $@
	@$(PIP) install --requirement $@
	@touch $@

$(VENV)/.built: $(VENV)/.tools $(SOURCES)
	@echo "Building fastloss (a few minutes)"
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

# The package is there already: pip adds what the extra names, and does not build again.
$(VENV)/.with-%: pyproject.toml | $(VENV)/.built
	@echo "Installing the packages of the extra '$*'"
	@$(PIP) install 'fastloss[$*]'
	@touch $@
