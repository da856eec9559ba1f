# Needs only make and Python 3.11 or newer; no root, no PostgreSQL, no other tool.
VENV   := .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/.ready
CODE   := $(wildcard timebank admin migrations tests bench)

# The lock is complete: pip resolves nothing and fetches nothing that is not in it, neither a newer release nor build tools
# for a package without a wheel. `pip check` verifies afterwards that the packages fit together.
INSTALL := -m pip install --quiet --no-deps --require-hashes --only-binary :all: --requirement

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help venv run test lint browser torture bench screenshots lock clean

help:
	@echo "make run [PORT=8000] [DATA=folder]   a whole county to try out, on one address"
	@echo "make test                            linters, types and every test"
	@echo "make lint | torture | bench          one part of it; the long tests; the measurements"
	@echo "make screenshots [TO=folder]         pictures of every page, outside this folder"
	@echo "make lock | clean                    renew requirements.lock; remove what a build left"

venv: $(READY)

# Uses the first Python that is new enough and can make a virtual environment; PY=/path/to/python chooses another.
# When the lock has changed, the environment is made anew, so that no package of the older lock stays in it.
$(READY): requirements.lock pyproject.toml
	@found=; old=; bare=; \
	for python in $(PY) python3.13 python3.12 python3.11 python3.14 python3 /usr/bin/python3; do \
	  "$$python" -c '' 2>/dev/null || continue; \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { old="$$python"; continue; }; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { bare="$$python"; continue; }; \
	  found="$$python"; break; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
	  echo "$$bare cannot make a virtual environment. Install its venv module (Debian, Ubuntu: apt install python3-venv) and try again."; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "Python 3.11 or newer is needed and none was found$${old:+ ($$old is older)}. Install one, or name it: make PY=/path/to/python3.12"; exit 1; \
	fi; \
	$(if $(filter requirements.lock,$?),false,$(PYTHON) -c 'import pip' 2>/dev/null) || "$$found" -m venv --clear $(VENV)
	$(PYTHON) $(INSTALL) requirements.lock
	$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation -e .
	$(PYTHON) -m pip check
	@touch $@

run: venv
	$(PYTHON) -m timebank demo $(if $(PORT),--port $(PORT)) $(if $(DATA),--data "$(DATA)")

test: lint browser
	$(PYTHON) -m pytest -n auto

lint: venv
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy $(CODE)

# Browser tests need a Chromium and a Chinese font. Where they cannot be installed, these tests are skipped with the reason.
browser: venv
	@$(PYTHON) tests/browser_path.py --provide

torture: venv
	$(PYTHON) -m pytest -m torture

bench: venv
	$(PYTHON) -m bench

# Every page of every role on phone, tablet and desktop, in both views, with empty, long and refused states.
screenshots: browser
	$(PYTHON) -m tests.gallery_pictures $(if $(TO),"$(TO)")

# One lock for every platform and every Python from 3.11 up; it names no index, so any mirror can serve it.
# The uv of the present lock writes the new one, which replaces it only after an installation from it passed `pip check`.
lock:
	$(or $(PY),python3) -m venv --clear .venv-lock
	sed -n '/^uv==/,/# via/p' requirements.lock > .venv-lock/uv.lock
	.venv-lock/bin/python $(INSTALL) .venv-lock/uv.lock
	.venv-lock/bin/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --all-extras --generate-hashes \
	  --no-emit-index-url --no-header --quiet --output-file .venv-lock/requirements.lock
	.venv-lock/bin/python $(INSTALL) .venv-lock/requirements.lock
	.venv-lock/bin/python -m pip check
	mv .venv-lock/requirements.lock requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) .venv-lock .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/output build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
