#!/usr/bin/env python3
"""Checks the structure of the sources by names, which the compiler does not: `make lint` runs it.

* Within a target whose folders are layers (`LAYERS`), no file uses names that a higher folder declares:
  types, functions, and members from extensions. Members of the same name, and initializers, are ambiguous
  and not checked.
* `predict` and `serve` do not import the research module, and JerseyOutput does not know jerseys
  (`MAY_NAME`).
* No hand-written file has more than `MOST_LINES` lines.
* No sentence begins with a bare "Of".
* No text of the library and the exporter (`NO_FLAGS`) names a flag or a command, because other
  programs show these texts.
* The library's targets have at most `MOST_PUBLIC` public declarations.

Each finding is a line, `file:line: what is wrong`, and makes the exit status 1. --all also lists what the
last two limits still allow.
"""

import argparse
import bisect
import collections
import pathlib
import re
import subprocess
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The folders of a target, lowest first. A file may use names from its own folder and those before
# it.
LAYERS = {
    "Torch": ["Tensor", "NN", "Compiled", "IO", "Training"],
    "Jersey": ["Media", "Models", "Detecting", "Reading", "Tracking", "Sharding"],
    "JerseyOutput": ["Text", "Drawing", "Charts", "Pages"],
    "JerseyCLI": ["Output", "Options", "Commands", ""],
    "JerseyLab": [
        "System",
        "Config",
        "Data",
        "Settings",
        "Training",
        "Finder",
        "Evaluation",
        "Runs",
        "Statistics",
        "Experiments",
        "Benchmark",
        "Analysis",
        "Report",
    ],
}
# The names that one target may use from another that it depends on.
MAY_NAME = {("JerseyOutput", "Jersey"): {"RGBImage"}}
# These commands, and the rest of the command line that they use, must not import a module.
COMMANDS_WITHOUT = {"JerseyLab": ["PredictCommand", "ServeCommand"]}

# Other programs show the texts of these. An error has a `Remedy` for the command line instead.
NO_FLAGS = {"JerseySupport", "Torch", "Jersey", "JerseyExport"}
# These talk to other programs, whose flags they name.
FLAGS_OF_OTHERS = {"Slurm.swift", "ShardArray.swift"}
FLAG = re.compile(r"(?:^|[\s(`'\"])--[A-Za-z]|`jersey ")

MOST_LINES = 400
# The most that other packages may see.
MOST_PUBLIC = 150


class Swift:
    """A file as names: its declarations, and where it mentions others. Comments and string literals are
    left out, interpolations are not."""

    OPENING = re.compile(r'//|/\*|#*"""|#*"')
    TOKEN = re.compile(r"\\?\.?\b[A-Za-z_]\w*|[{}]")
    TYPES = {"struct", "class", "enum", "protocol", "actor"}
    DECLARATION = TYPES | {"typealias", "func", "let", "var", "case"}
    MODIFIERS = {"static", "final", "lazy", "mutating", "indirect", "set", "weak", "unowned"}

    def __init__(self, path):
        self.path = path
        self.parts = path.parts
        self.text = (ROOT / path).read_text(encoding="utf-8")
        self.starts = [0] + [match.end() for match in re.finditer("\n", self.text)]
        self.comments = []  # (line, text)
        self.texts = []  # the same of string literals
        self.code = self._code()
        self.top = set()  # names visible to other files of the target
        self.members = set()  # names in extensions
        self.shared = set()  # both, and declarations within types
        self.declared = set()  # all names, including local ones
        self.mentions = []  # (place, name, whether it follows a dot)
        self._declarations()

    def line(self, place):
        return bisect.bisect_right(self.starts, place)

    def _code(self):
        pieces, place = [], 0
        while match := self.OPENING.search(self.text, place):
            start, mark = match.start(), match.group()
            pieces.append(self.text[place:start])
            if mark == "//":
                end = self.text.find("\n", start)
                end = len(self.text) if end < 0 else end
                self.comments.append((self.line(start), self.text[start:end].lstrip("/").strip()))
                pieces.append(" " * (end - start))
            elif mark == "/*":
                end = self.text.find("*/", start) + 2
                for number, row in enumerate(self.text[start:end].split("\n")):
                    self.comments.append((self.line(start) + number, row.strip("/* ")))
                pieces.append(re.sub(r"[^\n]", " ", self.text[start:end]))
            else:
                end = self._literal(match.end(), mark, pieces, start)
            place = end
        pieces.append(self.text[place:])
        return "".join(pieces)

    def _literal(self, place, mark, pieces, start):
        """Appends a string literal, blanked except for interpolations; returns the place after it."""
        hashes = "#" * mark.count("#")
        closing = mark.lstrip("#") + hashes
        ending = re.compile(r"\\" + hashes + r"\(|\\" + hashes + r".|" + re.escape(closing))
        blank = start
        while match := ending.search(self.text, place):
            place = match.end()
            if match.group() == closing:
                break
            if match.group().endswith("("):
                self._text(blank, place, pieces)
                place = self._interpolation(place, pieces)
                blank = place
        self._text(blank, place, pieces)
        return place

    def _text(self, start, end, pieces):
        for number, row in enumerate(self.text[start:end].split("\n")):
            self.texts.append((self.line(start) + number, row))
        pieces.append(re.sub(r"[^\n]", " ", self.text[start:end]))

    def _interpolation(self, place, pieces):
        depth, start = 1, place
        while match := re.compile(r'[()]|#*"""|#*"').search(self.text, place):
            place = match.end()
            if match.group() == "(":
                depth += 1
            elif match.group() == ")":
                depth -= 1
                if depth == 0:
                    pieces.append(self.text[start : match.start()] + " ")
                    break
            else:
                pieces.append(self.text[start : match.start()])
                place = start = self._literal(place, match.group(), pieces, match.start())
        return place

    def _declarations(self):
        scopes, opens = [], None  # kinds of the enclosing braces, and of the next one
        extension, hidden, previous = False, False, None
        for match in self.TOKEN.finditer(self.code):
            token = match.group()
            name = token.lstrip("\\.")
            if token == "{":
                scopes.append(opens or "code")
                opens = None
            elif token == "}":
                if not scopes:
                    sys.exit(f"{self.path}:{self.line(match.start())}: an unmatched closing brace")
                scopes.pop()
            elif previous in self.DECLARATION and name == token and token not in self.DECLARATION:
                self.declared.add(name)
                if "code" not in scopes:
                    self.shared.add(name)
                    if not scopes and not hidden:
                        self.top.add(name)
                    elif len(scopes) == 1 and extension and not hidden:
                        self.members.add(name)
                hidden = False
            else:
                if token in self.TYPES or token == "extension":
                    opens = "type"
                    extension = token == "extension" if not scopes else extension
                hidden = (
                    token in ("private", "fileprivate")
                    or hidden
                    and token in self.DECLARATION | self.MODIFIERS
                )
                self.mentions.append((match.start(), name, name != token))
            previous = token


def edges(files, all_files):
    """Yields (file, line, name, other file) for each name that another file of the target declares."""
    owner = {name: file for file in files for name in file.top}
    # A member is known only by its name, so one that several files declare is ambiguous.
    count = collections.Counter(name for file in all_files for name in file.shared)
    members = {name: file for file in files for name in file.members if count[name] == 1}
    for file in files:
        seen = set()
        for place, name, is_member in file.mentions:
            other = members.get(name) if is_member else owner.get(name)
            if other in (None, file) or name in file.declared or name in seen:
                continue
            seen.add(name)
            yield file, file.line(place), name, other


def upward(target, order, files, all_files):
    """Yields findings in the layers of one target."""

    def layer(file):
        folder = file.parts[2] if len(file.parts) > 3 else ""
        return order.index(folder) if folder in order else None

    for file in files:
        if layer(file) is None:
            yield f"{file.path}:1: is in no layer of {target}; use one of {', '.join(order)}"
    for file, line, name, other in edges(files, all_files):
        here, there = layer(file), layer(other)
        if here is not None and there is not None and there > here:
            yield f"{file.path}:{line}: uses {name} from {order[there]}, a layer above {order[here]}"


def reached(files, names, all_files):
    """Returns the files that declare `names`, and all files that these use in turn."""
    graph = {}
    for file, _, _, other in edges(files, all_files):
        graph.setdefault(file, set()).add(other)
    found = {file for file in files if file.top & set(names)}
    waiting = list(found)
    while waiting:
        for other in graph.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def tracked():
    """Returns all files that git tracks or would add."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    return [pathlib.Path(name) for name in sorted(set(names)) if name and (ROOT / name).is_file()]


def c_comments(text):
    for match in re.finditer(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', text, re.S):
        if not match.group().startswith('"'):
            line = text.count("\n", 0, match.start()) + 1
            for number, row in enumerate(match.group().split("\n")):
                yield line + number, row.strip("/* ")


def python_comments(path):
    """Yields comments and docstrings."""
    with open(ROOT / path, "rb") as file:
        starts_line = True
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string.lstrip("#! ")
            elif token.type == tokenize.STRING and starts_line:
                for number, row in enumerate(token.string.split("\n")):
                    yield token.start[0] + number, row.strip("\"' ")
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                starts_line = token.type in (
                    tokenize.NEWLINE,
                    tokenize.INDENT,
                    tokenize.DEDENT,
                    tokenize.ENCODING,
                )


def markdown(text):
    is_code = False
    for number, row in enumerate(text.split("\n"), 1):
        if row.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, row.lstrip("#>|*- ")


def prose(path, swift):
    """Returns (line, text) of a file's prose."""
    if path in swift:
        return swift[path].comments
    if path.suffix in (".c", ".cpp", ".h"):
        return c_comments((ROOT / path).read_text(encoding="utf-8"))
    if path.suffix == ".py":
        return python_comments(path)
    if path.suffix == ".md":
        return markdown((ROOT / path).read_text(encoding="utf-8"))
    return []


def library_targets():
    """Returns the targets of the library product and their dependencies."""
    manifest = (ROOT / "Package.swift").read_text(encoding="utf-8")
    depends = {}
    for chunk in re.split(r"\.(?:target|executableTarget|systemLibrary|testTarget)\(", manifest)[1:]:
        name = re.search(r'name: "([^"]+)"', chunk)
        list_ = re.search(r"dependencies: \[(.*?)\]", chunk, re.S)
        if name:
            depends[name.group(1)] = re.findall(r'(?<!: )"([^"]+)"', list_.group(1)) if list_ else []
    waiting = re.findall(
        r'"([^"]+)"', re.search(r'\.library\(name: "[^"]+", targets: \[(.*?)\]', manifest).group(1)
    )
    found = set()
    while waiting:
        name = waiting.pop()
        if name not in found and name in depends:
            found.add(name)
            waiting += depends[name]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--all", action="store_true", help="also list what the limits still allow")
    everything = parser.parse_args().all

    paths = tracked()
    swift = {
        path: Swift(path) for path in paths if path.suffix == ".swift" and not path.name.endswith(".pb.swift")
    }
    targets = {}
    for path, file in swift.items():
        if path.parts[0] == "Sources":
            targets.setdefault(path.parts[1], []).append(file)

    sources = [file for files in targets.values() for file in files]
    findings = []
    for target, order in LAYERS.items():
        if order:
            findings += upward(target, order, targets.get(target, []), sources)
    for (target, other), allowed in MAY_NAME.items():
        names = {name for file in targets.get(other, []) for name in file.top} - allowed
        for file in targets.get(target, []):
            for place, name, is_member in file.mentions:
                if name in names and not is_member and name not in file.declared and name[0].isupper():
                    findings.append(f"{file.path}:{file.line(place)}: uses {name} from {other}")
    for module, commands in COMMANDS_WITHOUT.items():
        for file in reached(targets["JerseyCLI"], commands, sources):
            if match := re.search(rf"^import {module}$", file.text, re.M):
                findings.append(
                    f"{file.path}:{file.line(match.start())}: imports {module}, which "
                    + f"{' and '.join(commands)} must not use"
                )

    for path in paths:
        if path.suffix in (".swift", ".c", ".cpp", ".h", ".py") and not path.name.endswith(".pb.swift"):
            count = (ROOT / path).read_bytes().count(b"\n")
            if count > MOST_LINES:
                findings.append(
                    f"{path}:{MOST_LINES + 1}: has {count} lines, more than the limit of {MOST_LINES}"
                )

    for target in sorted(NO_FLAGS):
        findings += [
            f"{file.path}:{line}: a text names a flag or a command"
            for file in targets[target]
            if file.path.name not in FLAGS_OF_OTHERS
            for line, text in file.texts
            if FLAG.search(text)
        ]

    genitives = [
        f'{path}:{line}: a sentence begins with a bare "Of"'
        for path in paths
        for line, text in prose(path, swift)
        if re.search(r"(?:^|[.:!?] )Of ", text)
    ]
    public = [
        f"{file.path}:{file.line(match.start())}: is public"
        for target in sorted(library_targets())
        for file in targets.get(target, [])
        for match in re.finditer(r"\bpublic\b", file.code)
    ]
    for what, found, most in [
        ('sentences that begin with a bare "Of"', genitives, 0),
        ("public declarations in the library's targets", public, MOST_PUBLIC),
    ]:
        if everything:
            print("\n".join(found))
        print(f"structure: {len(found)} {what}, {most} at most")
        if len(found) > most:
            findings.append(
                f"Tools/check_structure.py:1: {len(found) - most} {what} too many; --all lists them"
            )
    print("\n".join(findings) if findings else "structure: the layers hold")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
