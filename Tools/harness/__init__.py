"""What the scripts of Tools/ and Benchmarks/ share. Python's standard library only.

    programs      jersey and jersey-bench, and the options that name them
    environment   virtual environments outside the repository, and the interpreter of the peers
    processes     commands run to their end, with their time and memory; waiting
    turns         work done in turns, and ratios of what was measured
    contestant    a program that stays alive and works when it has its turn
    data          rendered data sets
    service       a running `jersey serve`, and requests to send
    requests      raw HTTP requests, byte by byte, as strangers may send them
    runs          small training runs, and whether two are the same
    experiments   a small experiment, and whether two are the same
    harm          an experiment's folder that is harmed, and what must come of it

Benchmarks/harness is a link to this folder, so that scripts in either find it beside them.
"""
