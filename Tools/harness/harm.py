"""Damages an experiment's folder, and checks the consequences."""

import os
import pathlib
import shutil
import subprocess

from harness.experiments import RUNS, Experiment, compare_experiments
from harness.runs import compare_runs

# The run whose files are damaged.
VICTIM = RUNS[0]


class Case:
    """An experiment's folder to damage."""

    def __init__(self, experiment: Experiment, name: str, template: str | None):
        self.experiment, self.folder = experiment, experiment.work / name
        self.victim = self.folder / "runs" / VICTIM
        if template:
            shutil.copytree(experiment.work / template, self.folder)

    def run(self, *more: str, **options) -> tuple:
        return self.experiment.run(self.folder, *more, **options)

    def fails(self, *words: str, others: bool = True, **options) -> str:
        """Checks that the call exits with status 1, names the fault, and finishes all other runs."""
        status, said = self.run(**options)
        assert status == 1, f"expected exit status 1, got {status}:\n{said}"
        self.expect(said, *words)
        if others:
            for run in RUNS:
                if run != VICTIM:
                    compare_runs(self.experiment.work / "whole/runs" / run, self.folder / "runs" / run)
        return said

    def completes(self, *words: str, **options) -> str:
        """Checks that the call exits with status 0, with the same results as an undamaged experiment."""
        status, said = self.run(**options)
        assert status == 0, f"expected exit status 0, got {status}:\n{said}"
        self.expect(said, *words)
        compare_experiments(self.experiment.work / "whole", self.folder)
        return said

    def expect(self, said: str, *words: str) -> None:
        for word in words:
            assert word in said, f"'{word}' is not named:\n{said}"

    def remove_victim(self) -> None:
        shutil.rmtree(self.victim)

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(self.experiment.command(self.folder), stderr=subprocess.PIPE, text=True)

    def finished(self) -> int:
        return len(list(self.folder.glob("runs/*/result.json")))


def cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garble(path: pathlib.Path) -> None:
    path.write_bytes(os.urandom(max(path.stat().st_size, 100)))
