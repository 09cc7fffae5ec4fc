"""Reads tracklets with an off-the-shelf text recogniser (PP-OCR through rapidocr): the digits of each frame,
then a majority vote.
"""

import argparse
import collections
import json
import pathlib
import time

from rapidocr_onnxruntime import RapidOCR

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data", type=pathlib.Path, help="number/track/sequence/frames")
parser.add_argument("--every", type=int, default=1, help="read every n-th sequence")
options = parser.parse_args()
engine = RapidOCR()
sequences = sorted(path for path in options.data.glob("*/*/*") if path.is_dir())[:: options.every]
start, answers = time.perf_counter(), {}
for folder in sequences:
    votes = collections.Counter()
    for path in sorted(folder.glob("*.jpg")):
        result, _ = engine(str(path), use_det=False, use_cls=False, use_rec=True)
        digits = "".join(filter(str.isdigit, result[0][0])) if result else ""
        if 1 <= len(digits) <= 2:
            votes[digits] += 1
    answers[str(folder.relative_to(options.data))] = votes.most_common(1)[0][0] if votes else ""
print(json.dumps({"seconds": time.perf_counter() - start, "answers": answers}))
