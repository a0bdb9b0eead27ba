# Two targets do all set-up on a fresh machine: `make run` and `make test`.
# PYTHON=/path/to/python3.11 overrides the search for an interpreter.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test check bench compare format lock clean

run: $(STAMP)
	@exec $(BIN)/cpo up $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

# The same tests against the library alone and against us, row by row.
compare: $(STAMP)
	$(BIN)/python -m tests.peers.compare

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Maintainers only: renew the locked versions after pyproject.toml changed.
lock: $(STAMP)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --extra dev \
		--no-header --no-emit-index-url pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): requirements.lock pyproject.toml scripts/find-python
	@python=$$(PYTHON="$(PYTHON)" sh scripts/find-python) || exit 1; \
	echo "Setting up $(VENV) with $$python (first run: a minute or two)"; \
	"$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@
