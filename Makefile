# Everything starts here: `make` lists what there is to do. The first target that needs Python sets
# up a virtual environment in .venv with all tools; nothing is installed outside of it.

comma := ,
PYTHON ?= python3
BOARD ?= icebreaker
DEMO_FLAGS ?=
BENCH_FLAGS ?=
LIVE_FLAGS ?=
BITSTREAM_FLAGS ?=
SPATIAL_FLAGS ?=
# The name of a spatial engine is that of its model's file, unless NAME is given to make: in some
# shells it is a variable of the environment, with another meaning.
ENGINE = $(if $(findstring command,$(origin NAME)),$(NAME),$(basename $(notdir $(MODEL))))
# A file stays on one core: its tests share a compiled simulator. tests/conftest.py has the order.
TEST_FLAGS ?= -n auto --dist loadfile --no-loadscope-reorder

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The training kernel is compiled when Tensorspin is installed, if there is a C compiler.
KERNEL := $(wildcard sw/tensorspin/models/kernel/source/*)
# What trains and runs virtual boards: a part of all tools, which a new checkout has in a minute. What
# needs no more is content with it, unless all tools are there, which are then kept up to date.
SIM := $(VENV)/.sim
RUNS := $(if $(wildcard $(READY)),$(READY),$(SIM))
# jax and torch are heavy, and nothing but comparisons needs them.
COMPARE := $(VENV)/compare
# The oldest versions of libraries that pyproject.toml allows, and the tests that show that they do.
OLDEST := $(VENV)/oldest
# What `tensorspin serve` needs, in the environment of everything else.
SERVE := $(VENV)/.serve
# Circuits, simulators of quantum processors, a server: half a gigabyte, in an environment of its own.
HYBRID := $(VENV)/hybrid
# A Dask cluster, in an environment of its own: a library of the quantum side wants an old cloudpickle.
CLUSTER := $(VENV)/cluster
# The site's tutorials run with the quantum side where its environment exists; else a stored output is
# shown where a tutorial needs it.
DOCS := $(if $(wildcard $(HYBRID)/.ready),$(HYBRID),$(VENV))
QUICK_TESTS := $(addprefix tests/,contract golden compiler data sampling feasibility models/test_mps.py)

.PHONY: help demo live test test-slow test-all test-oldest test-faults test-hybrid test-cluster lint bench \
	bench-annealer demo-hybrid bench-start bench-hybrid bench-pool bench-serve bench-upsets compare docs \
	bitstream bitstreams spatial activity clients mcu-sizes demo-mcu bench-mcu dist program setup clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: BOARD=$(BOARD), PYTHON=$(PYTHON), DEMO_FLAGS, LIVE_FLAGS, TEST_FLAGS, BENCH_FLAGS, \
	BITSTREAM_FLAGS, LOCK, MODEL, NAME, SPATIAL_FLAGS"

demo: $(RUNS) ## Train, compile and run a classifier on simulated gateware
	@$(BIN)/tensorspin demo $(DEMO_FLAGS)

test: $(READY) ## Run the tests: a part of each kind, in 5 to 10 minutes
	@$(BIN)/pytest $(TEST_FLAGS)

test-slow: $(READY) ## Run what that leaves out and CI runs: about 10 minutes
	@$(BIN)/pytest $(TEST_FLAGS) -m slow

test-all: $(READY) test-hybrid ## Run all tests: hours
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

test-faults: $(READY) ## Flip thousands of bits of a simulated board's memory, one by one
	@$(BIN)/pytest -n 0 -m long -s $(TEST_FLAGS) tests/trust/test_gateware.py

test-hybrid: $(HYBRID)/.ready ## Run the tests of the quantum side and of the servers
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(HYBRID)/bin/pytest -m "not long" $(TEST_FLAGS) \
		tests/hybrid tests/quantum tests/server

test-cluster: $(CLUSTER)/.ready ## Run the tests of boards on a Dask cluster, whose workers are killed
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(CLUSTER)/bin/pytest -m "not long" $(TEST_FLAGS) tests/distributed

$(HYBRID)/.ready: pyproject.toml $(READY)
	@echo "Setting up $(HYBRID) (some minutes) ..."
	@test -x $(HYBRID)/bin/python || "$(PYTHON)" -m venv $(HYBRID)
	@$(HYBRID)/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[plot,test,gateware,quantum,appliance,serve,hybrid]'
	@touch $@

$(CLUSTER)/.ready: pyproject.toml $(READY)
	@echo "Setting up $(CLUSTER) (about a minute) ..."
	@test -x $(CLUSTER)/bin/python || "$(PYTHON)" -m venv $(CLUSTER)
	@$(CLUSTER)/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[plot,test,gateware,distributed,cluster]'
	@touch $@

bench: $(READY) ## Measure accuracy, size, speed and latency beside other classifiers
	@$(BIN)/python -m tensorspin.benchmarks.contractor \
		$(patsubst %,--compare-python %,$(wildcard $(COMPARE)/bin/python)) $(BENCH_FLAGS)

bench-start: $(RUNS) ## Measure how long everyday things take in a new environment: minutes
	@$(BIN)/python -m tests.support.start_bench $(BENCH_FLAGS)

bench-upsets: $(READY) ## Measure how accurate digits are classified with changed bits in the weights
	@$(BIN)/python -m tensorspin.benchmarks.contractor.upsets $(BENCH_FLAGS)

bench-annealer: $(READY) ## Measure quality and speed of the annealer beside other samplers
	@$(BIN)/python -m tensorspin.benchmarks.annealer \
		$(patsubst %,--compare-python %,$(wildcard $(COMPARE)/bin/python)) $(BENCH_FLAGS)

live: $(SERVE) ## Show in a browser what boards do, on simulated ones, until Ctrl-C
	@$(BIN)/tensorspin serve --board sim://$(BOARD) --board sim://icebreaker_annealer --open $(LIVE_FLAGS)

$(SERVE): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[serve]'
	@touch $@

demo-hybrid: $(HYBRID)/.ready ## Run a detector on a simulated board and quantum processor, which is stopped
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(HYBRID)/bin/python -m tensorspin.benchmarks.hybrid.demo \
		$(DEMO_FLAGS)

bench-hybrid: $(HYBRID)/.ready ## Measure what a detector does when its quantum processor fails
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(HYBRID)/bin/python -m tensorspin.benchmarks.hybrid \
		$(BENCH_FLAGS)

docs: $(DOCS)/.docs ## Build the documentation site: build/docs/index.html
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(DOCS)/bin/pytest --quiet tests/project/test_doctests.py
	@$(DOCS)/bin/python -m sphinx --builder html --fresh-env --quiet --fail-on-warning docs build/docs
	@echo "The site is build/docs/index.html"

$(DOCS)/.docs: pyproject.toml $(DOCS)/.ready
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[docs$(if $(filter $(HYBRID),$(DOCS)),$(comma)mcu)]'
	@touch $@

bench-serve: $(HYBRID)/.ready ## Measure how long 200 clients of one board wait, some of which are killed
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(HYBRID)/bin/python -m tests.support.board_load $(BENCH_FLAGS)

bench-pool: $(CLUSTER)/.ready ## Measure many virtual boards, and schedulers with up to 1,000 modelled ones
	@PYTHONPATH="$(CURDIR)/sw:$(CURDIR)/hw" $(CLUSTER)/bin/python -m tensorspin.benchmarks.pool $(BENCH_FLAGS)

compare: $(COMPARE)/.ready ## Install the libraries that the benchmarks compare with

$(COMPARE)/.ready: pyproject.toml $(READY)
	@echo "Setting up $(COMPARE) (some minutes, a gigabyte or more) ..."
	@test -x $(COMPARE)/bin/python || "$(PYTHON)" -m venv $(COMPARE)
	@$(COMPARE)/bin/python -m pip install --quiet --disable-pip-version-check '.[compare]'
	@touch $@

bitstream: $(READY) ## Build build/BOARD/BOARD.bin (.bit) and report resources and timing
	@$(if $(LOCK),$(BIN)/tensorspin bitstream $(BOARD) --lock "$(LOCK)",\
		$(BIN)/python -m tensorspin_gateware.build.bitstream $(BOARD))

bitstreams: $(READY) ## Build all bitstreams (hours), and keep the table of docs/boards.md
	@$(BIN)/python -m tensorspin_gateware.build.all $(BITSTREAM_FLAGS)

activity: $(READY) ## Count how much of some boards rests while nothing is asked of them
	@$(BIN)/python -m tests.support.activity

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
	@echo "Installing a compiler for microcontrollers and an emulator (400 MB) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mcu]'
	@touch $@

# The first wheel is without the compiled kernel and runs anywhere; pip prefers the second.
dist: $(READY) ## Make wheels and sdist, and collect the bitstreams that are built, in dist/
	@rm -rf dist
	@CC=false $(BIN)/python -m build --outdir dist .
	@$(BIN)/python -m build --outdir dist .
	@$(BIN)/python -m tensorspin_gateware.build.collect dist

spatial: $(READY) ## Build a spatial engine for MODEL=model.npz on BOARD, by default a ULX3S 85F
	@test -n "$(MODEL)" || { echo "Give the model: make spatial MODEL=model.npz"; exit 1; }
	@$(BIN)/tensorspin spatial "$(MODEL)" --name "$(ENGINE)" \
		--board $(if $(findstring file,$(origin BOARD)),ulx3s_85f,$(BOARD)) $(SPATIAL_FLAGS)
	@$(BIN)/python -m tensorspin_gateware.build.bitstream "spatial/$(ENGINE)"

program: $(READY) ## Build the bitstream if need be and load it into the board
	@$(BIN)/python -m tensorspin_gateware.build.bitstream $(BOARD) --program

setup: $(READY) ## Make the virtual environment; the other targets do it themselves

clean: ## Remove what was built and measured, but not the virtual environment
	@rm -rf build dist results .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis

$(SIM): pyproject.toml setup.py $(KERNEL)
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
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[sim,plot]'
	@touch $@

$(READY): $(SIM)
	@echo "Setting up the tools for building and testing, too ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[gateware,lint,plot,test]'
	@touch $@
