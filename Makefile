# Two commands on a fresh machine: `make demo` and `make test`. Each first puts in place whatever is missing.

SWIFT_SOURCES := $(wildcard Sources Tests Benchmarks Examples Package.swift)

.DEFAULT_GOAL := help
.PHONY: help setup build test examples docs demo format lint clean

help:
	@echo 'make demo     renders a film of three players and reads their numbers with the bundled model'
	@echo 'make test     runs the tests'
	@echo 'make examples builds the packages in Examples/, which depend on this one, and runs them'
	@echo 'make docs     builds the documentation of the library, from its comments'
	@echo 'make setup    installs Debian packages and libtorch, as far as they are missing'
	@echo 'make build    builds the command-line tool, optimised'
	@echo 'make format   formats the sources, Swift and Python, in place'
	@echo 'make lint     checks their format, the Python for mistakes, and how they are put together'
	@echo 'make clean    removes what was built and the demo; libtorch stays'

setup:
	@Tools/setup.sh

build: setup
	@echo 'build: building jersey, optimised (minutes the first time)'
	@swift build -c release --product jersey

test: setup
	@echo 'test: building and running the tests (minutes the first time)'
	@swift test

examples: setup
	@Tools/build_examples.sh

docs: setup
	@Tools/build_documentation.py

demo: build
	@Tools/demo.sh

format:
	@swift format format --in-place --recursive --parallel $(SWIFT_SOURCES)
	@Tools/lint_python.sh format

lint:
	@swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)
	@Tools/lint_python.sh
	@echo 'lint: the format is fine'
	@Tools/check_structure.py

clean:
	@rm -rf .build demo
	@echo 'clean: done'
