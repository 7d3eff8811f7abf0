# Everything a newcomer needs. Each target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := api schemas streams tools tests

.PHONY: help run test check verify chaos bench format lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/'

run: .venv/ready ## start Kafka, engine and REST with demo data, until Ctrl-C
	@exec $(BIN)/python -m tools.run

test: .venv/ready ## run all tests, those against a real Kafka included
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadscope

check: .venv/ready ## format, lint, types, import contracts, published files
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.publish --check

verify: .venv/ready ## re-check the promise on the running system
	@$(BIN)/python -m tools.verify

chaos: .venv/ready ## break a system of its own for MINUTES=10 in every way, and judge it (SEED=n)
	@exec $(BIN)/python -m tools.chaos --minutes $(or $(MINUTES),10) \
		$(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report $(REPORT))

bench: .venv/ready ## measure one worker beside its peers on the same Kafka
	@$(BIN)/python -m tools.bench $(if $(ONLY),--only $(ONLY)) $(if $(PAGE),--page $(PAGE))

format: .venv/ready ## format the code
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

lock: .venv/ready ## pin all dependencies anew, for maintainers
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--group tools --group test pyproject.toml --output-file requirements.lock \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

clean: ## forget the local data of `make run`
	@rm -rf "$${ADJUST_HOME:-.adjust}"

.venv/ready: requirements.lock tools/set_up.py
	@$(PYTHON) tools/set_up.py
