"""A program that stays alive as long as a comparison, and works only when it has its turn."""

import json
import statistics
import subprocess
import tempfile

from harness.turns import take_turns


class Contestant:
    """Prints a line of JSON once it is ready, and one with a list `seconds` for each line of its input."""

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
        # The median of each round, and every single time.
        self.rounds: list[float] = []
        self.seconds: list[float] = []
        self.first = self.answer()

    def answer(self) -> dict[str, list[float]]:
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise RuntimeError(
                self.log.read().decode(errors="replace").strip()[-600:] or "ended without a word"
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
    """Gives each its turns, and ends them all."""
    take_turns({contestant.name: contestant.turn for contestant in contestants}, rounds, rotate=True)
    for contestant in contestants:
        contestant.end()
