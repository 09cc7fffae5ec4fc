"""Shared code of the scripts in Tools/ and Benchmarks/. Uses only Python's standard library.

    programs      paths of jersey and jersey-bench, and options for them
    environment   virtual environments outside the repository, and the peers' interpreter
    processes     runs commands and measures their time and memory; waits for conditions
    turns         runs work in turns, and computes ratios of the measurements
    contestant    a program that stays alive and works only in its turn
    cable         two network namespaces that stand in for hosts, for Open MPI
    data          rendered data sets
    service       a running `jersey serve`, and requests to send
    requests      raw HTTP requests, including malformed ones
    runs          small training runs, and their comparison
    experiments   a small experiment, and its comparison with another
    harm          damages an experiment's folder and checks the consequences

Benchmarks/harness links to this folder, so that scripts in either folder find it beside them.
"""
