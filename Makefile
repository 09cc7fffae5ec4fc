# On a fresh machine, run `make demo` or `make test`. Each first installs whatever is missing.

SWIFT_SOURCES := $(wildcard Sources Tests Benchmarks Examples Package.swift)

.DEFAULT_GOAL := help
.PHONY: help setup build test examples docs demo format lint clean wheel tarball deb test-python

help:
	@echo 'make demo     renders a match and reads the players' numbers with the bundled model'
	@echo 'make test     runs the tests'
	@echo 'make test-python  runs the tests of the Python package'
	@echo 'make examples builds and runs the packages in Examples/, which depend on this one'
	@echo 'make docs     builds the library documentation from its comments'
	@echo 'make setup    installs missing Debian packages and libtorch'
	@echo 'make build    builds the command-line tool with optimisation'
	@echo 'make wheel    packs the program and the Python package as one wheel, in dist/'
	@echo 'make tarball  packs the program with all libraries as a folder that runs anywhere, in dist/'
	@echo 'make deb      packs the program as a Debian package, in dist/'
	@echo 'make format   formats the Swift and Python sources in place'
	@echo 'make lint     checks the format, the Python for mistakes, and the structure'
	@echo 'make clean    removes build products and the demo, but keeps libtorch'

setup:
	@Tools/setup.sh

build: setup
	@echo 'build: building jersey with optimisation (minutes the first time)'
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

test-python:
	@Tools/test_python.sh

wheel tarball deb: build
	@Tools/package/$@.sh

format:
	@swift format format --in-place --recursive --parallel $(SWIFT_SOURCES)
	@Tools/lint_python.sh format

lint:
	@swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)
	@Tools/lint_python.sh
	@echo 'lint: the format is correct'
	@Tools/check_structure.py

clean:
	@rm -rf .build demo dist
	@echo 'clean: done'
