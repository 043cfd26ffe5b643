# The house in a few words; the README says what each does.

PYTHON ?= python3
BIN := .venv/bin
export PORT ?= 8000

# Tools that only read the settings must not start servers.
OFFLINE := DATABASE_URL=postgresql:///offline REDIS_URL=redis://localhost
PRODUCTION := $(OFFLINE) DEBUG=0 ALLOWED_HOSTS=courtois.example \
	SECRET_KEY=only-for-this-check-9f2c4e7a1b8d5f3e6a0c9b7d4e1f8a2c5b3d6e9f

.PHONY: run test check bench pictures format messages compile clean

run: .venv/runtime.stamp node_modules/.stamp
	@exec $(BIN)/python -m config.run

test: .venv/development.stamp node_modules/.stamp
	@command -v chromium-headless-shell >/dev/null || $(MAKE) --no-print-directory chromium
	@$(BIN)/pytest -n 2 --dist worksteal; status=$$?; $(BIN)/python -m config.embedded stop var/test; exit $$status

check: .venv/development.stamp node_modules/.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 --check {} +
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/lint-imports
	$(OFFLINE) $(BIN)/mypy
	$(OFFLINE) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(OFFLINE) $(BIN)/pytest -q tests/test_house_layers.py

# What the machine can put right by itself.
format: .venv/development.stamp
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} + || true

# After a change of the texts: gather them, then translate what is new in locale/en and run it again to compile.
# French is the source; its catalogue is made here: the singular of zero, the spaces that must not break.
HARD_SPACE := $(shell printf '\302\240')
messages: .venv/development.stamp
	@command -v msgen >/dev/null || { echo "The texts need GNU gettext: install it with your system's package manager."; exit 1; }
	rm -f locale/fr/LC_MESSAGES/django.po
	mkdir -p locale/fr/LC_MESSAGES
	$(OFFLINE) $(BIN)/python manage.py makemessages --locale en --locale fr --no-obsolete --add-location file \
		--ignore .venv --ignore node_modules --ignore var --ignore tests --ignore bench
	msgen --no-location --no-wrap --lang fr locale/fr/LC_MESSAGES/django.po | sed -e '2,6d' -e '/^"POT-Creation-Date/d' \
		-e '1s/.*/# The texts as they are written, made by `make messages`: not edited./' \
		-e '/^msgstr/s/ \([:;?!»]\)/$(HARD_SPACE)\1/g' -e '/^msgstr/s/« /«$(HARD_SPACE)/g' > locale/fr/LC_MESSAGES/made.po
	mv locale/fr/LC_MESSAGES/made.po locale/fr/LC_MESSAGES/django.po
	for language in en fr; do msgfmt --check-format --output-file locale/$$language/LC_MESSAGES/django.mo \
		locale/$$language/LC_MESSAGES/django.po; done

bench: .venv/development.stamp node_modules/.stamp
	$(BIN)/python bench/run.py

# Every screen of a demo that runs (`make run`), into var/pictures; more of it: `.venv/bin/python docs/pictures.py --help`.
pictures: .venv/development.stamp
	$(BIN)/python docs/pictures.py

# Pin anew what the .in files ask for: `make compile`, or `make compile UPGRADE=--upgrade`.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate $(UPGRADE)
compile: .venv/development.stamp
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements.in requirements-dev.in --output-file requirements-dev.txt

clean:
	@[ ! -x $(BIN)/python ] || for folder in var var/test; do $(BIN)/python -m config.embedded stop $$folder; done
	rm -rf .venv node_modules var

.PHONY: chromium
# The engine without its windows, a sixth quicker in the tests, is enough; else any Chromium.
chromium:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; \
		apt-get install -y -qq chromium-headless-shell fonts-liberation >/dev/null 2>&1; \
	fi; \
	for name in chromium-headless-shell chromium chromium-browser google-chrome-stable google-chrome; do \
		command -v $$name >/dev/null && exit; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get install -y -qq chromium >/dev/null; \
	else \
		echo "The browser tests need Chromium: install it with your system's package manager."; exit 1; \
	fi

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Courtois needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/runtime.stamp: requirements.txt | .venv/bin/python
	@echo "Installing the Python packages…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/development.stamp: requirements-dev.txt .venv/runtime.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.stamp: package-lock.json
	@command -v npm >/dev/null || { echo "Courtois needs Node 20 or newer with npm."; exit 1; }
	@npm ci --silent --ignore-scripts
	@touch $@
