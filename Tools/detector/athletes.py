"""The rendered athletes from which scenes are composed."""

import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np


class Athletes:
    """Rendered athletes by match and role, as colours times opacity and opacity."""

    def __init__(self, folder: Path):
        self.matches = defaultdict(lambda: defaultdict(list))
        with open(folder / "cutouts.csv") as lines:
            for name, match, role, *box in csv.reader(lines):
                picture = cv2.imread(str(folder / f"{name}.png"))[..., ::-1]
                opacity = cv2.imread(str(folder / f"{name}-opacity.jpg"), cv2.IMREAD_GRAYSCALE)
                layers = np.dstack([picture, opacity])
                # Half and quarter sizes make small athletes quick to draw.
                sizes = [layers] + [
                    cv2.resize(layers, None, fx=s, fy=s, interpolation=cv2.INTER_AREA) for s in (0.5, 0.25)
                ]
                self.matches[int(match)][role].append((sizes, np.array(box, float)))
        self.matches = {match: dict(roles) for match, roles in self.matches.items()}
        self.names = sorted(self.matches)
