"""The paths of our programs, and script options for them."""

import argparse
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / ".build/release"
BUNDLED = ROOT / "Sources/CBundledModel/bundled.safetensors"
PEERS = ROOT / "Benchmarks/peers"


class Parser(argparse.ArgumentParser):
    """A parser whose help is the script's docstring, with its layout."""

    def __init__(self, description: str):
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.needed: list[str] = []

    def add_jersey(self) -> None:
        self.add_argument(
            "--jersey",
            type=pathlib.Path,
            default=RELEASE / "jersey",
            metavar="FILE",
            help="path of jersey (default: in .build/release)",
        )

    def add_bin(self, *needed: str) -> None:
        """Adds `--bin`, and requires these programs in that folder."""
        self.add_argument(
            "--bin", type=pathlib.Path, default=RELEASE, metavar="DIR", help="folder with our programs"
        )
        self.needed = list(needed)

    def parse_args(self, *arguments, **keywords):
        """Returns the options. Checks for missing programs now rather than after minutes of work."""
        options = super().parse_args(*arguments, **keywords)
        if "jersey" in options:
            self.check(options.jersey, "--jersey FILE")
            options.jersey = options.jersey.resolve()
        for name in self.needed:
            self.check(options.bin / name, "--bin DIR")
        return options

    def check(self, program: pathlib.Path, option: str) -> None:
        if not program.exists():
            self.error(f"{program} does not exist; build it with `swift build -c release`, or pass {option}")
