# make demo: everything from raw ratings to recommendations over REST, on generated data; see README.md.
.PHONY: help demo app test lab install spark lint format lock clean

# The Python that makes .venv: the first of these that is new enough, or make demo PYTHON=/path/to/python
PYTHONS = python3.12 python3.11 python3.13 python3 python
SUPPORTED = import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
BIN = .venv/bin
INSTALLED = .venv/installed
PIP = $(BIN)/python -m pip --disable-pip-version-check

help:
	@echo "make demo     train on generated data, export, deploy, ask over REST: the whole product once"
	@echo "make app      the online recommender at http://localhost:6010, with the latest model"
	@echo "make test     run all tests but those that take minutes"
	@echo "make lab      open the notebook in JupyterLab"
	@echo "make install  make .venv with everything in requirements.txt"
	@echo "make spark    add Apache Spark to .venv, for data.engine=spark; needs Java 17 or newer"
	@echo "make lint     check style and types"
	@echo "make format   lay the code out as make lint wants it"
	@echo "make lock     resolve pyproject.toml into requirements.txt anew"
	@echo "make clean    remove .venv and caches; data/ stays"

demo: $(INSTALLED)
	$(BIN)/recommender run workflow-train-model.yaml data.dataset=synthetic
	$(BIN)/recommender run workflow-deploy-model.yaml
	$(BIN)/recommender query recommend --user 42 -n 10
	$(BIN)/recommender stop

app: $(INSTALLED)
	$(BIN)/recommender app

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lab: $(INSTALLED)
	$(BIN)/jupyter lab deep_learning_recommender_tf.ipynb

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

install: $(INSTALLED)

# The lock names every package, so --no-deps spares pip the search: even an old pip installs it in one step.
$(INSTALLED): requirements.txt pyproject.toml
	@$(BIN)/python -c '$(SUPPORTED)' 2>/dev/null && $(PIP) --version >/dev/null 2>&1 && exit; \
	for python in $(if $(PYTHON),"$(PYTHON)",$(PYTHONS)); do \
	  if "$$python" -c '$(SUPPORTED)' 2>/dev/null; then exec "$$python" -m venv --clear .venv; fi; \
	done; \
	echo "error: Python 3.11, 3.12 or 3.13 with venv is needed, found none as $(or $(PYTHON),$(PYTHONS));" \
	  "name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1
	$(PIP) install --no-deps -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)

# The versions that pyproject.toml pins; the lock goes without, since Spark takes 450 MB and needs Java.
SPARK = import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"])
spark: $(INSTALLED)
	$(PIP) install $$($(BIN)/python -c '$(SPARK)')

# uv lives apart, so that .venv holds what the lock says.
lock: $(INSTALLED)
	$(BIN)/python -m venv .venv/uv
	.venv/uv/bin/python -m pip install uv
	.venv/uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
	  --output-file requirements.txt --custom-compile-command "make lock"

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +
