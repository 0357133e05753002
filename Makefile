# `make run` and `make test` need nothing but make and Python 3.11 or newer.
PYTHON ?= python3
COMPILE = .venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(FLAGS)
.DEFAULT_GOAL := help
.PHONY: help run test lock schema clean .installed .installed-dev

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS="$$(printf '\t')" \
		read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

run: .installed ## run Chatsite on this machine; PORT=8001 make run for another port
	@exec .venv/bin/python manage.py up

test: .installed-dev ## run the tests; ARGS="-k sign_in" to choose
	@exec .venv/bin/python -m pytest $(ARGS)

lock: .installed-dev ## pin requirements*.txt anew from requirements*.in; FLAGS=--upgrade for newer
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) --no-deps requirements-local.in -o requirements-local.txt

schema: .installed ## write docs/openapi.yml
	@.venv/bin/python -m chatsite.local.keys
	@.venv/bin/python manage.py spectacular --file docs/openapi.yml --validate --fail-on-warn

clean: ## remove .venv and caches; .env and var/ (keys and data) stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		htmlcov .coverage staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.installed:
	@command -v $(PYTHON) >/dev/null || { echo "chatsite: $(PYTHON) not found; install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) scripts/bootstrap.py

.installed-dev:
	@command -v $(PYTHON) >/dev/null || { echo "chatsite: $(PYTHON) not found; install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) scripts/bootstrap.py --dev
