# Everything installs into .venv from hash-pinned locks; nothing outside this folder is touched, save Debian packages where that is allowed.
BIN := .venv/bin
PYTHON ?= python3
# Where nobody watches, a test that fails is tried again, and told as rerun: it starts real processes on a machine that others share.
AGAIN := $(if $(CI),--reruns 2)

# Tests that time a running app have the machine to themselves, and so has all of tests/heal but what is named here; others take both cores.
TIMED := tests/cli/test_an_app_that_is_up.py tests/cli/test_full_disk.py tests/signals/test_probes.py tests/targets/test_conformance.py \
	tests/targets/test_local_%.py tests/drill/test_shop.py tests/drill/test_rehearse.py tests/drill/test_healers.py tests/drill/test_traffic.py
PURE := tests/loop tests/model tests/store tests/testing tests/wiring tests/forge tests/sandbox tests/repair tests/fixing tests/bench tests/server \
	$(filter-out $(TIMED),$(wildcard $(patsubst %,tests/%/test_*.py,cli signals targets drill))) \
	$(patsubst %,tests/heal/test_%.py,casebook certificates clock crowd figures fixes hearing measures one_call outsiders own_restarts \
	reports_in resuming rounds ship_progress spoken suspects telling tried_back undoing uses)

# Of the long ones, those that start no healer and kill nothing.
LONG := tests/bench tests/fixing tests/forge tests/loop tests/repair tests/sandbox tests/server tests/signals

.PHONY: demo test test-full bench lint format lock clean

demo: .venv/.runtime
	$(BIN)/prodwise demo $(DEMO_ARGS)

test: .venv/.dev lint
ifdef TEST_ARGS
	$(BIN)/python -m pytest -m "not full" $(AGAIN) $(TEST_ARGS)
else
	@echo "tests that time no running app, on both cores:"
	@$(BIN)/python -m pytest -m "not full" $(AGAIN) -n 2 $(PURE)
	@echo "and the others, one at a time:"
	@$(BIN)/python -m pytest -m "not full" $(AGAIN) $(addprefix --ignore=,$(PURE))
endif

test-full: .venv/.dev
	scripts/debian-packages docker.io:dockerd podman
ifdef TEST_ARGS
	$(BIN)/python -m pytest -m "full" $(AGAIN) $(TEST_ARGS)
else
	$(BIN)/python -m pytest -m "full" $(AGAIN) -n 2 $(LONG)
	$(BIN)/python -m pytest -m "full" $(AGAIN) $(addprefix --ignore=,$(LONG))
endif

bench: .venv/.dev
	$(BIN)/python -m bench $(BENCH_ARGS)

lint: .venv/.dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy -n 2
	$(BIN)/lint-imports --no-cache

format: .venv/.dev
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

lock: .venv/.runtime
	scripts/lock

.venv/.runtime: requirements.lock scripts/setup
	PYTHON=$(PYTHON) scripts/setup runtime

.venv/.dev: requirements-dev.lock requirements.lock scripts/setup
	PYTHON=$(PYTHON) scripts/setup dev

clean:
	rm -rf .venv build dist demo-report .mypy_cache .ruff_cache .hypothesis
