# make            lists the targets
# make repro      the comparison, from nothing; make test: the tests, from nothing
# PIP_ARGS        passes pip anything: make setup PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
# make experiment NAME=claims   an experiment of conf/experiment; EXP_ARGS="--queue -S seeds=[1]" passes DVC anything
# VENV            the environment to use or create (default .venv)
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
PORT ?= 5000
BENCH_ARGS ?=
NAME ?=
EXP_ARGS ?=
LAB_ARGS ?=
STAMP := $(VENV)/.softalign-installed
RUN = PATH="$$(cd '$(VENV)' && pwd)/bin:$$PATH"

.DEFAULT_GOAL := help
.PHONY: help setup repro experiment test lint format ui lab bench bench-peers clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' '$(firstword $(MAKEFILE_LIST))' | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## create .venv if it is missing and install the locked dependencies
	@test -d .git || git rev-parse --git-dir >/dev/null 2>&1 || test -f .dvc/config.local || printf '[core]\n    no_scm = true\n' > .dvc/config.local

$(STAMP): pyproject.toml constraints.txt
	@test -x '$(VENV)/bin/python' || '$(PYTHON)' -m venv '$(VENV)'
	'$(VENV)/bin/python' -m pip install -c constraints.txt -e '.[dev]' $(PIP_ARGS)
	@touch '$(STAMP)'

repro: setup ## run the whole comparison, then print where the report is and a short table
	@$(RUN) dvc repro
	@$(RUN) PYTHONPATH=src python -m softalign.reporting.summary

experiment: setup ## run an experiment of conf/experiment (NAME=claims); without a name, list them
	@$(RUN) PYTHONPATH=src python -m softalign run $(NAME) $(EXP_ARGS)

test: setup ## run the tests
	@$(RUN) python -m pytest

lint: setup ## ruff and mypy
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

format: setup ## sort the imports and format the code
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

ui: setup ## open the runs in MLflow (PORT=5000)
	@$(RUN) PYTHONPATH=src python -m softalign.training.ui --port $(PORT)

lab: setup ## open the notebooks in JupyterLab (in a container, as root: LAB_ARGS="--allow-root")
	@$(RUN) PYTHONPATH=src jupyter lab notebooks $(LAB_ARGS)

bench: setup ## training and decoding speed against plain PyTorch (5 minutes; BENCH_ARGS="--rounds 9 data=multi30k")
	@$(RUN) PYTHONPATH=src python -m benchmarks $(BENCH_ARGS)

bench-peers: setup ## the same beside JoeyNMT and OpenNMT-py, each installed in an environment of its own (an hour at most)
	@$(RUN) PYTHONPATH=src PIP_ARGS='$(PIP_ARGS)' python -m benchmarks.peers $(BENCH_ARGS)

clean: ## remove what the pipeline made; the environment, the MLflow store and downloads stay
	rm -rf resolved data runs reports outputs multirun .softalign
