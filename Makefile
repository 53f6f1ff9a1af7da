# make generate   everything set up, then plates of the seven Chinese types into out/plates
# make test       everything set up, then the tests (make test-slow adds the slow ones)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: generate test test-slow lint format cards clean

generate: $(VENV)/train
	$(BIN)/python -m synth.generate plates=cn7 count=700 out=out/plates
	@echo "contact sheet: out/plates/sheet.png"

test: $(VENV)/dev
	$(BIN)/python -m pytest -n auto -m "not slow"

test-slow: $(VENV)/dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cards: $(VENV)/dev
	@test -n "$(REAL)" || { echo "make cards REAL=FOLDER with ccpd/ and street/"; exit 2; }
	$(BIN)/python docs/cards.py measure "$(REAL)"

$(VENV)/train: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e '.[train]'
	touch $@

$(VENV)/dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e '.[dev]'
	touch $@ $(VENV)/train

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache
