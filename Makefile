# Everything starts here: `make` lists what there is to do. The first target that needs Python sets
# up a virtual environment in .venv with all tools; nothing is installed outside of it.

PYTHON ?= python3
BOARD ?= icebreaker
DEMO_FLAGS ?=
BENCH_FLAGS ?=
BITSTREAM_FLAGS ?=
# A file stays on one core: its tests share a compiled simulator. tests/conftest.py has the order.
TEST_FLAGS ?= -n auto --dist loadfile --no-loadscope-reorder

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The training kernel is compiled when Tensorspin is installed, if there is a C compiler.
KERNEL := $(wildcard sw/tensorspin/models/kernel/source/*)
# jax and torch are heavy, and nothing but comparisons needs them.
COMPARE := $(VENV)/compare
# The oldest versions of libraries that pyproject.toml allows, and the tests that show that they do.
OLDEST := $(VENV)/oldest
QUICK_TESTS := $(addprefix tests/,contract golden compiler data sampling feasibility models/test_mps.py)

.PHONY: help demo test test-slow test-all test-oldest lint bench bench-annealer compare bitstream \
	bitstreams clients mcu-sizes demo-mcu bench-mcu dist program setup clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: BOARD=$(BOARD), PYTHON=$(PYTHON), DEMO_FLAGS, TEST_FLAGS, BENCH_FLAGS, \
	BITSTREAM_FLAGS"

demo: $(READY) ## Train, compile and run a classifier on simulated gateware
	@$(BIN)/tensorspin demo $(DEMO_FLAGS)

test: $(READY) ## Run the tests: a part of each kind, in 5 to 10 minutes
	@$(BIN)/pytest $(TEST_FLAGS)

test-slow: $(READY) ## Run what that leaves out and CI runs: about 10 minutes
	@$(BIN)/pytest $(TEST_FLAGS) -m slow

test-all: $(READY) ## Run all tests: hours
	@$(BIN)/pytest $(TEST_FLAGS) -m ''

lint: $(READY) ## Check style, docstrings, types, and the directions of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy
	@$(BIN)/python -m tests.support.docstrings

test-oldest: $(OLDEST)/.ready ## Run the quick tests with the oldest libraries that are allowed
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(OLDEST)/bin/pytest $(TEST_FLAGS) $(QUICK_TESTS)

$(OLDEST)/.ready: pyproject.toml $(READY)
	@echo "Setting up $(OLDEST) (about a minute) ..."
	@$(BIN)/uv pip compile --quiet --python $(BIN)/python --resolution lowest-direct --no-header \
		--only-binary :all: --extra gateware --extra plot --extra test pyproject.toml \
		--output-file $(VENV)/oldest.txt
	@"$(PYTHON)" -m venv --clear $(OLDEST)
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--only-binary :all: --requirement $(VENV)/oldest.txt
	@touch $@

bench: $(READY) ## Measure accuracy, size, speed and latency beside other classifiers
	@$(BIN)/python -m tensorspin.benchmarks.contractor \
		$(patsubst %,--compare-python %,$(wildcard $(COMPARE)/bin/python)) $(BENCH_FLAGS)

bench-annealer: $(READY) ## Measure quality and speed of the annealer beside other samplers
	@$(BIN)/python -m tensorspin.benchmarks.annealer \
		$(patsubst %,--compare-python %,$(wildcard $(COMPARE)/bin/python)) $(BENCH_FLAGS)

compare: $(COMPARE)/.ready ## Install the libraries that the benchmarks compare with

$(COMPARE)/.ready: pyproject.toml $(READY)
	@echo "Setting up $(COMPARE) (some minutes, a gigabyte or more) ..."
	@test -x $(COMPARE)/bin/python || "$(PYTHON)" -m venv $(COMPARE)
	@$(COMPARE)/bin/python -m pip install --quiet --disable-pip-version-check '.[compare]'
	@touch $@

bitstream: $(READY) ## Build build/BOARD/BOARD.bin (.bit) and report resources and timing
	@$(BIN)/python -m tensorspin_gateware.build.bitstream $(BOARD)

bitstreams: $(READY) ## Build all bitstreams (hours), and keep the table of docs/boards.md
	@$(BIN)/python -m tensorspin_gateware.build.all $(BITSTREAM_FLAGS)

clients: $(READY) ## Generate the protocol's constants for clients in C and MicroPython
	@$(BIN)/python -m tensorspin.export.constants sw/clients

mcu-sizes: $(VENV)/.mcu ## Print what the C driver takes on a Cortex-M0+, part by part
	@$(BIN)/python -m tests.support.mcu_sizes

demo-mcu: $(VENV)/.mcu ## Classify digits by firmware on an emulated microcontroller and simulated pins
	@$(BIN)/python -m tests.support.mcu_demo $(DEMO_FLAGS)

bench-mcu: $(VENV)/.mcu ## Measure a board beside what a microcontroller computes alone
	@$(BIN)/python -m tests.support.mcu_bench $(BENCH_FLAGS)

# The compiler for microcontrollers is large (400 MB), and nothing but these needs it.
$(VENV)/.mcu: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mcu]'
	@touch $@

# The first wheel is without the compiled kernel and runs anywhere; pip prefers the second.
dist: $(READY) ## Make wheels and sdist, and collect the bitstreams that are built, in dist/
	@rm -rf dist
	@CC=false $(BIN)/python -m build --outdir dist .
	@$(BIN)/python -m build --outdir dist .
	@$(BIN)/python -m tensorspin_gateware.build.collect dist

program: $(READY) ## Build the bitstream if need be and load it into the board
	@$(BIN)/python -m tensorspin_gateware.build.bitstream $(BOARD) --program

setup: $(READY) ## Make the virtual environment; the other targets do it themselves

clean: ## Remove what was built and measured, but not the virtual environment
	@rm -rf build dist results .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis

$(READY): pyproject.toml setup.py $(KERNEL)
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) was not found; install it with: \
	apt install python3 (Debian, Ubuntu) or dnf install python3 (Fedora)"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer \
	is needed, $(PYTHON) is $$('$(PYTHON)' -V); choose another with: make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is incomplete; \
	install it with: apt install python3-venv (Debian, Ubuntu)"; exit 1; }
	@command -v c++ >/dev/null || { echo "A C++ compiler is needed for simulated gateware; \
	install it with: apt install g++ (Debian, Ubuntu) or dnf install gcc-c++ (Fedora)"; exit 1; }
	@command -v perl >/dev/null || { echo "perl is needed by Verilator; \
	install it with: apt install perl (Debian, Ubuntu) or dnf install perl (Fedora)"; exit 1; }
	@echo "Setting up $(VENV) (a minute or two) ..."
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[gateware,lint,plot,test]'
	@touch $@
