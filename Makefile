# Everything runs in .venv, made from the locked, hashed requirements.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SOURCES := topics bridge workers tests examples

# The tests start hundreds of processes of ours: without byte code each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

# pip of an old Python may be older than the hashes it must check.
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(1)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/python-is-there:
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.11 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "The venv module is missing: sudo apt-get install python3-venv"; exit 2; }
	@touch $@

$(VENV)/run-is-there: $(VENV)/python-is-there requirements/run.lock pyproject.toml
	@echo "Installing what the stack needs ..."
	@$(call install,requirements/run.lock)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test-is-there: $(VENV)/run-is-there requirements/test.lock
	@echo "Installing what the tests and checks need ..."
	@$(call install,requirements/test.lock)
	@touch $@

.PHONY: run
run: $(VENV)/run-is-there ## Start the embedded stack and watch sample commands (ARGS=--once to leave after them)
	@$(BIN)/bridge dev $(ARGS)

# Tests wait more than they work: two processes side by side wait together, each with servers of its own. A few begin
# sooner in one.
PROCESSES ?= $(if $(ARGS),1,2)

.PHONY: test
test: $(VENV)/test-is-there ## Run all tests on real Kafka and real Temporal (ARGS="-k name" for some, PROCESSES=1 for all in one)
	@$(BIN)/python -m pytest $(if $(filter-out 1,$(PROCESSES)),--numprocesses $(PROCESSES)) $(ARGS)

.PHONY: bench
bench: $(VENV)/test-is-there ## Measure the bridge beside the shortest loop (ARGS="--section core --scale 0.1" for less)
	@$(BIN)/python -m tests.bench --write $(ARGS)

.PHONY: faults
faults: $(VENV)/test-is-there ## Make every fault and count what is left of the promises (ONLY=17 SEED=0x... for one)
	@$(BIN)/python -m tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(ARGS)

MINUTES ?= 30

.PHONY: soak
soak: $(VENV)/test-is-there ## Mix the faults at random under steady load (MINUTES=30 SEED=0x...)
	@SOAK_MINUTES=$(MINUTES) $(BIN)/python -m tests.faults --only 46 $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: faults-selftest
faults-selftest: $(VENV)/test-is-there ## Plant one bug after the other and see that the tests go red (ARGS="--bug order_lost")
	@$(BIN)/python -m tests.planted --write $(ARGS)

$(VENV)/fuzz-is-there: $(VENV)/test-is-there requirements/fuzz.lock
	@$(call install,requirements/fuzz.lock)
	@touch $@

FUZZ_SECONDS ?= 300
FUZZ_TIMES ?= 20

.PHONY: fuzz
fuzz: $(VENV)/fuzz-is-there ## Look long for inputs that break what holds of any (FUZZ_SECONDS=300 a target, FUZZ_TIMES=20)
	@FUZZ_TIMES=$(FUZZ_TIMES) $(BIN)/python -m pytest tests/fuzz tests/model --timeout 7200 $(ARGS)
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

.PHONY: check
check: $(VENV)/test-is-there ## Lint, types, layers, dependencies
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/deptry topics bridge workers

.PHONY: format
format: $(VENV)/test-is-there ## Format the code and mend what a linter can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --no-annotate pyproject.toml requirements/build.txt --all-extras

.PHONY: lock
lock: $(VENV)/test-is-there ## Resolve the dependencies anew (ARGS=--upgrade for the newest)
	$(LOCK) $(ARGS) --output-file requirements/run.lock
	$(LOCK) $(ARGS) --group check --group test --constraint requirements/run.lock --output-file requirements/test.lock
	$(subst pyproject.toml requirements/build.txt --all-extras,requirements/fuzz.txt,$(LOCK)) $(ARGS) \
		--output-file requirements/fuzz.lock

.PHONY: clean
clean: ## Remove the virtual environment, caches and the stack's data
	rm -rf $(VENV) .bridge .fuzz .planted .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
