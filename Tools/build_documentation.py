#!/usr/bin/env python3
"""Builds the documentation of the library product: `make docs` runs it.

    Tools/build_documentation.py

It fails on a warning, on a public declaration without a comment, and on a type that the landing page does not
list. Once the library is built it takes seconds. The result is .build/documentation/Jersey.doccarchive.

The comments are in the modules that `swift build` writes, and `docc` is in the toolchain. It does without
swift-docc-plugin because SwiftPM would resolve and fetch it for every package that depends on this one.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from check_structure import ROOT, library_targets

PRODUCT = "Jersey"
CATALOG = ROOT / "Sources" / PRODUCT / f"{PRODUCT}.docc"
OUTPUT = ROOT / ".build" / "documentation"
DOCC = (
    f"--fallback-display-name {PRODUCT} --fallback-bundle-identifier {PRODUCT} --warnings-as-errors".split()
)


def run(*command):
    if subprocess.run(command, cwd=ROOT).returncode:
        sys.exit(1)


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def symbol_graphs(build, folder):
    """Writes the symbols of the library's modules to `folder`; yields the path of each file."""
    triple = json.loads(output_of("swiftc", "-print-target-info"))["target"]["unversionedTriple"]
    maps = [*build.glob("C*.build/module.modulemap"), *ROOT.glob("Sources/C*/module.modulemap")]
    options = [word for path in sorted(maps) for word in ("-Xcc", f"-fmodule-map-file={path}")]
    options += ["-I", str(build / "Modules"), "-target", triple]
    options += ["-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", str(folder)]
    for module in sorted(library_targets()):
        if (build / "Modules" / f"{module}.swiftmodule").exists():
            output_of("swift-symbolgraph-extract", "-module-name", module, *options)
    yield from sorted(folder.glob("*.json"))


def main():
    shutil.rmtree(OUTPUT, ignore_errors=True)
    graphs = OUTPUT / "graphs"
    graphs.mkdir(parents=True)
    run("swift", "build", "--quiet", "--target", PRODUCT)

    findings = []
    landing = (CATALOG / f"{PRODUCT}.md").read_text(encoding="utf-8")
    for path in symbol_graphs(pathlib.Path(output_of("swift", "build", "--show-bin-path").strip()), graphs):
        graph = json.loads(path.read_text(encoding="utf-8"))
        for symbol in graph["symbols"]:
            name = ".".join(symbol["pathComponents"])
            # What the compiler makes by itself has no place.
            if "location" in symbol and "docComment" not in symbol:
                place = symbol["location"]
                file = os.path.relpath(place["uri"].removeprefix("file://"), ROOT)
                findings.append(f"{file}:{place['position']['line'] + 1}: {name} has no comment")
            if len(symbol["pathComponents"]) == 1 and f"``{name}``" not in landing:
                findings.append(f"{CATALOG.relative_to(ROOT)}/{PRODUCT}.md:1: lists no {name}")
        # A user sees one library, whatever the modules below it.
        graph["module"]["name"] = PRODUCT
        path.write_text(json.dumps(graph), encoding="utf-8")
    if findings:
        print("\n".join(findings))
        return 1

    archive = OUTPUT / f"{PRODUCT}.doccarchive"
    run("docc", "convert", CATALOG, "--additional-symbol-graph-dir", graphs, "--output-path", archive, *DOCC)
    print(f"docs: python3 -m http.server --directory {archive.relative_to(ROOT)}")
    print("docs: then open http://localhost:8000/documentation/jersey")
    return 0


if __name__ == "__main__":
    sys.exit(main())
