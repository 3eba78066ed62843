# Everyday commands; `just` lists them.
default:
    @just --list

# install for development
install:
    python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e '.[dev,zoo]'

# everything CI runs
ci:
    .ci/run

# tests alone
test *args:
    .venv/bin/python -m pytest {{args}}

# linters and types
lint:
    .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

# rules against their sibling tests
rules:
    .venv/bin/gandoctor rules test

# docs/rules anew, after a rule has changed
pages:
    .venv/bin/gandoctor rules docs docs/rules

# docs/ as a site, in site/
docs:
    .venv/bin/pip install -q -c constraints.txt -e '.[docs]' && .venv/bin/mkdocs build --strict

# constraints.txt anew: the newest versions, in a fresh environment; look at the diff, run `just ci`, commit
pins:
    rm -rf .pins && python3 -m venv .pins
    .pins/bin/pip install -q "$(grep ^torch== constraints.txt)" -e '.[dev,docs,zoo]'
    grep -E '^(#|torch==)' constraints.txt > .pins/constraints.txt
    .pins/bin/pip freeze --exclude-editable | grep -vE '^(torch|gandoctor)[ =]' | sort -f >> .pins/constraints.txt
    mv .pins/constraints.txt constraints.txt && rm -rf .pins

# the page's templates compiled anew, after one has changed
templates:
    .venv/bin/python -m gandoctor.reporters.compiled
