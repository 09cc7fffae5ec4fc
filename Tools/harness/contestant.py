"""A program that stays alive during a comparison, and works only in its turn."""

import json
import statistics
import subprocess
import tempfile

from harness.turns import take_turns


class Contestant:
    """A program that prints a line of JSON when ready, and one with a list `seconds` per line of input."""

    def __init__(self, name: str, command: list):
        self.name = name
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        # The median of each round, and all single times.
        self.rounds: list[float] = []
        self.seconds: list[float] = []
        self.first = self.answer()

    def answer(self) -> dict[str, list[float]]:
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise RuntimeError(
                self.log.read().decode(errors="replace").strip()[-600:] or "exited without output"
            )
        return json.loads(line)

    def turn(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        seconds = self.answer()["seconds"]
        self.seconds += seconds
        self.rounds.append(statistics.median(seconds))

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def compete(contestants: list[Contestant], rounds: int) -> None:
    """Runs the contestants in turns, then ends them."""
    take_turns({contestant.name: contestant.turn for contestant in contestants}, rounds, rotate=True)
    for contestant in contestants:
        contestant.end()
