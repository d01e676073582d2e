# Everything a person does here, one command each; `make help` lists them. Needs Python >= 3.11 with venv, and no more.
PYTHON ?= python3
CITIES ?= 15000
N ?= 100
BIN := .venv/bin
INSTALLED := .venv/installed

.DEFAULT_GOAL := help
.PHONY: help demo up test faults faults-mutants fuzz bench check docs format clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## the whole story on this machine, under 2 minutes (CITIES=500: all 234,908 cities)
	@exec $(BIN)/python -m demo --cities $(CITIES)

up: $(INSTALLED) ## web and two workers until Ctrl-C; REDIS_URL and OPENSEARCH_URL are honoured
	@exec $(BIN)/python -m demo.up

test: $(INSTALLED) ## all tests; the last lines say which servers ran (ARGS=-x, ARGS=tests/unit ...)
	$(BIN)/python -m pytest $(ARGS)

faults: $(INSTALLED) ## N=100 seeded faults on a real node (N=1000: about 22 minutes), or SEED=7 again with its story
	@exec $(BIN)/python -m tests.faults.campaign N=$(N) $(if $(SEED),SEED=$(SEED)) $(if $(FROM),FROM=$(FROM))

faults-mutants: $(INSTALLED) ## take one safeguard out of a copy at a time: a named schedule must fail; 6 minutes
	$(BIN)/python -m tests.faults.mutants

fuzz: $(INSTALLED) ## N=100 cases of each call of the OpenAPI documents and each kind of callers (SEED=7: others)
	$(BIN)/python -m pytest -q -o timeout=0 tests/redis/fuzz --fuzz $(N) --fuzz-seed $(or $(SEED),1)

bench: $(INSTALLED) ## ratios beside other clients on a real node, 23 minutes; writes docs/performance.md (P="P1 P12 --quick")
	$(BIN)/python -m benchmarks $(P)

check: $(INSTALLED) ## lint, format, types, import rules, docs in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

docs: $(INSTALLED) ## write the generated parts of docs/ anew
	$(BIN)/python docs/generate.py

format: $(INSTALLED) ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(INSTALLED): setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
