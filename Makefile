# `make run` and `make test` need nothing but make and Python 3.11 or newer.
PYTHON ?= python3
COMPILE = .venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-strip-extras --no-emit-index-url --no-annotate --custom-compile-command "make lock" $(FLAGS)
.DEFAULT_GOAL := help
.PHONY: help run test check tests production contract fuzz bench bench-short screening-report corpora lock docs clean .installed .installed-dev
.PHONY: bot-report races timing
# Keys of nothing: the checks need some, and protect nobody.
KEYS = DEBUG=on LLM_MODEL=none SECRET_KEY=$(FILLER)a JWT_SECRET_KEY=$(FILLER)b EMAIL_HASH_KEY=$(FILLER)c
FILLER = only-for-checks-only-for-checks-only-for-checks-

# Not --no-cov where it is not wanted: pytest-cov's workers fail on marks then.
COVER = --cov --cov-report=term

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS="$$(printf '\t')" \
		read -r name what; do printf '  make %-17s %s\n' "$$name" "$$what"; done

run: .installed ## run Chatsite on this machine; PORT=8001 make run for another port
	@exec .venv/bin/python manage.py up

test: check tests ## everything that CI asks for: the checks, then the tests

check: .installed-dev ## lint, types, import contracts, templates, migrations
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --quiet --check .
	.venv/bin/lint-imports --no-logo
	$(KEYS) .venv/bin/mypy --no-error-summary
	.venv/bin/djlint --quiet --check --lint templates
	$(KEYS) .venv/bin/python manage.py makemigrations --check --dry-run -v 0

tests: .installed-dev ## the tests alone; DATABASE_URL and REDIS_URL choose the services
	.venv/bin/python -m pytest -n 3 $(COVER) $(ARGS)

corpora: .installed-dev ## every text of CORPORA=folder (JSON lines) on every page, in a real browser
	@CORPORA="$(abspath $(CORPORA))" .venv/bin/python -m pytest -x --durations=5 \
		tests/browser/test_corpora.py tests/browser/test_console_corpora.py

bench: .installed-dev ## latency, throughput, CPU and memory beside litellm's floor; CASES="auth history" for some
	@.venv/bin/python -m benchmarks --json var/bench.json $(CASES)

bench-short: .installed-dev ## the same in a minute, for CI: it fails only where something cannot be measured
	@.venv/bin/python -m benchmarks --short --json var/bench-short.json

contract: .installed-dev ## 10,000 requests made from the schema, all checked; REQUESTS and SEED choose others
	.venv/bin/python -m tests.system.contract $(or $(REQUESTS),10000) $(SEED)

production: .installed-dev ## docker-compose.yml's processes behind its proxy, without Docker; needs nginx
	@PRODUCTION=on .venv/bin/python -m pytest tests/deployment --durations=5 $(ARGS)

fuzz: .installed-dev ## made-up inputs for all that reads strangers' texts; SECONDS (60) and SEED
	.venv/bin/python -m tests.fuzzing $(or $(SECONDS),60) $(SEED)

screening-report: .installed ## recall and false alarms; FILES="a.jsonl b.jsonl" with texts and categories
	@.venv/bin/python -m chat_app.screening_report $(FILES)

.PHONY: chaos chaos-short
chaos: .installed-dev ## break the running product; F=F5, or SEED=7 SECONDS=180, or ARGS=--help
	@.venv/bin/python -m chaos $(addprefix --only ,$(F)) $(addprefix --seed ,$(SEED)) \
		$(addprefix --seconds ,$(SECONDS)) $(ARGS)

chaos-short: .installed-dev ## three minutes of it, for CI
	@.venv/bin/python -m chaos --short $(ARGS)

races: .installed-dev ## what must be exact at once, RUNS=100 times, on the database of DATABASE_URL
	@RACES=$(or $(RUNS),100) .venv/bin/python -m pytest tests/abuse/test_a11_races.py

timing: .installed-dev ## whether the time of an answer tells a known address from an unknown one
	@.venv/bin/python -m benchmarks.timing $(ARGS)

bot-report: .installed ## how many simulated people and programs are suspected; ARGS="groups seed"
	@.venv/bin/python -m sessions_app.bot_report $(ARGS)

lock: .installed-dev ## pin requirements*.txt anew from requirements*.in; FLAGS=--upgrade for newer
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) --no-deps requirements-local.in -o requirements-local.txt

docs: .installed ## write docs/openapi.yml and docs/configuration.md anew
	@$(KEYS) .venv/bin/python manage.py spectacular --file docs/openapi.yml --validate --fail-on-warn
	@$(KEYS) .venv/bin/python manage.py document_settings > docs/configuration.md

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
