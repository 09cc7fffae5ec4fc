"""Reads shirt numbers of athletes from pictures and videos, through the program `jersey`.

import jersey

jersey.read([first, second, third])                  # pictures of one player -> Prediction
jersey.read("crops")                                 # a folder for each player -> Reading
jersey.read("match.mp4", boxes="tracks.txt")         # tracks of a tracker -> Reading
jersey.read("match.mp4")                             # people are found and followed -> Reading
"""

from . import formats
from ._errors import JerseyError
from ._program import find_program
from ._read import read
from ._reader import Reader
from ._results import (
    Box,
    Candidate,
    Conflict,
    Frame,
    LeftOut,
    NumberBox,
    Piece,
    Player,
    Prediction,
    Reading,
    RosterPlayer,
)
from ._version import __version__

__all__ = [
    "Box",
    "Candidate",
    "Conflict",
    "Frame",
    "JerseyError",
    "LeftOut",
    "NumberBox",
    "Piece",
    "Player",
    "Prediction",
    "Reader",
    "Reading",
    "RosterPlayer",
    "__version__",
    "find_program",
    "formats",
    "read",
]
