"""Our programs: where they are, and the options of a script that say so."""

import argparse
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / ".build/release"
BUNDLED = ROOT / "Sources/CBundledModel/bundled.safetensors"
PEERS = ROOT / "Benchmarks/peers"


class Parser(argparse.ArgumentParser):
    """The options of a script; its help is the script's own description, as it is laid out there."""

    def __init__(self, description: str):
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.needed: list[str] = []

    def add_jersey(self) -> None:
        self.add_argument(
            "--jersey",
            type=pathlib.Path,
            default=RELEASE / "jersey",
            metavar="FILE",
            help="the program (default: the one in .build/release)",
        )

    def add_bin(self, *needed: str) -> None:
        """`--bin`, and which programs must be in that folder."""
        self.add_argument(
            "--bin", type=pathlib.Path, default=RELEASE, metavar="DIR", help="where our programs are"
        )
        self.needed = list(needed)

    def parse_args(self, *arguments, **keywords):
        """The options. A missing program is better known now than after minutes of work."""
        options = super().parse_args(*arguments, **keywords)
        if "jersey" in options:
            self.check(options.jersey, "--jersey FILE")
            options.jersey = options.jersey.resolve()
        for name in self.needed:
            self.check(options.bin / name, "--bin DIR")
        return options

    def check(self, program: pathlib.Path, option: str) -> None:
        if not program.exists():
            self.error(f"{program} is missing: build it with `swift build -c release`, or say {option}")
