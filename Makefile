# make run [SLIDE=file]   install what is missing and open the window
# make test               the tests (a few minutes, no screen needed)
# make check              lint, format, types, import layers, tests
# make bench              the benchmarks; they measure and never fail on time
PYTHON ?= python3
BIN := .venv/bin
QUIET := PIP_DISABLE_PIP_VERSION_CHECK=1

.PHONY: run install system lint types layers test check bench

run: system install
	$(BIN)/acinus $(SLIDE)

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Acinus needs Python 3.11 or newer; try: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv .venv
	$(QUIET) $(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

system:
	@sh .ci/system-libraries

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install
	$(BIN)/pyright

layers: install
	$(BIN)/lint-imports

test: install
	QT_QPA_PLATFORM=offscreen $(BIN)/pytest

check: lint types layers test

bench: install
	QT_QPA_PLATFORM=offscreen $(BIN)/pytest -m benchmark -s tests/benchmarks
