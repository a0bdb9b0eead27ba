# Two targets do all set-up on a fresh machine: `make run` and `make test`.
# PYTHON=/path/to/python3.11 overrides the search for an interpreter.

VENV := .venv
BIN := $(VENV)/bin
# What is installed is stamped with a checksum of what was asked for: files that are only newer (a
# branch that was changed and changed back) install nothing again.
SUM = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
RUNS := $(VENV)/.runs-$(call SUM,requirements.lock pyproject.toml scripts/find-python)
STAMP := $(VENV)/.installed-$(call SUM,requirements.lock pyproject.toml scripts/find-python requirements-dev.lock)

# Few tries: without a network that has to be said soon, not after minutes.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 2
NO_PACKAGES := The packages could not be installed: is there a network, or a package index of your own?

.PHONY: run install test test-long browser screenshots test-fast test-random check coverage soak bench compare format docs lock clean

run: $(RUNS)
	@exec $(BIN)/cpo up $(ARGS)

# What tests and checks need, and nothing run.
install: $(STAMP)

# Each worker has a mongod of its own; WORKERS=0 runs all in one process. Four for two cores:
# tests with processes wait as long as they work.
WORKERS := 4
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)

# All tests but the long ones: some minutes.
test: $(STAMP)
	$(PYTEST) -m "not long" $(ARGS)

# Those that take long (tests/tiers.py says which): processes of the product, a browser, the soak.
# The gate runs both.
test-long: browser
	$(PYTEST) -m long $(ARGS)

# A Chromium for the walks through the console, where there is none and one may be installed (root,
# apt-get). Never fails: without one these tests are left out, and the run's end says so.
browser: $(STAMP)
	@$(BIN)/python -m tests.browser.chromium

# Every page of a demonstration as a picture, to look at; ARGS="--docs": those of the documents.
screenshots: browser
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

# Those that start no process, not even a mongod: a minute or so.
test-fast: $(STAMP)
	$(PYTEST) -m "not store and not long" $(ARGS)

# Property tests with new examples each time; what they find is kept in .hypothesis.
test-random: $(STAMP)
	$(PYTEST) --hypothesis-profile random $(ARGS)

# Lines and branches that these tests reach, not below a floor; what runs in other processes is not seen.
coverage: $(STAMP)
	$(PYTEST) -m "not processes" --cov --cov-report=term:skip-covered $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python scripts/check-advisories

# Minutes of random faults, judged by the meters; ARGS="--seed N" plays the faults of a seed again.
soak: $(STAMP)
	nice -n 10 $(BIN)/python -m tests.soak $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

# The same tests against the library alone and against us, row by row.
compare: $(STAMP)
	$(BIN)/python -m tests.peers.compare

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# docs/configuration.md is made of the settings.
docs: $(STAMP)
	$(BIN)/python -m cpo_app.configuration_page

# Maintainers only: renew the locked versions after pyproject.toml changed.
lock: $(STAMP)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 \
		--no-header --no-emit-index-url --generate-hashes pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --extra dev \
		--constraint requirements.lock \
		--no-header --no-emit-index-url --generate-hashes pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# What the system runs on; the tools of its developers come on top when they are asked for.
$(RUNS):
	@python=$$(PYTHON="$(PYTHON)" sh scripts/find-python) || exit 1; \
	echo "Setting up $(VENV) with $$python (first run: a minute or two)"; \
	"$$python" -m venv --clear $(VENV)
	@$(INSTALL) --require-hashes -r requirements.lock || { echo "$(NO_PACKAGES)"; exit 1; }
	@$(INSTALL) --no-deps -e .
	@touch $@

$(STAMP): $(RUNS)
	@echo "Adding what the tests need"
	@$(INSTALL) --require-hashes -r requirements-dev.lock || { echo "$(NO_PACKAGES)"; exit 1; }
	@touch $@
