"""What is read, as plain dataclasses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Box(NamedTuple):
    """A tracker's box: pixels from the left and the top of the frame."""

    frame: int
    track: int | str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Candidate:
    """A possible number, with its probability (0 to 1)."""

    number: str
    probability: float


@dataclass(frozen=True)
class NumberBox:
    """Where a number was found, in pixels of the frame, or of the box that was cut out of a video."""

    left: float
    top: float
    width: float
    height: float
    confidence: float


@dataclass(frozen=True)
class Frame:
    """A frame that was read."""

    path: str
    """The file, or `match.mp4#frame=812,track=17`."""
    weight: float | None = None
    """The share in the decision (all sum to 1); None if the model does not weigh frames."""
    box: NumberBox | None = None


@dataclass(frozen=True)
class LeftOut:
    """A frame that could not be read."""

    path: str
    reason: str


@dataclass(frozen=True)
class RosterPlayer:
    """Who wears a number, by the roster."""

    team: str
    name: str


@dataclass(frozen=True)
class Conflict:
    """A number that was seen, but is not in the roster."""

    number: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What was read of one player: of a sequence of frames, or of a track in a video."""

    number: str | None
    """The number as text, since `"07"` is not `"7"`; None if none could be read surely enough."""
    confidence: float | None
    """The probability of the most probable number, 0 to 1; None if no frame could be read."""
    unreadable: bool = False
    """Frames were read, but the confidence is below the threshold. `top` says what it might be."""
    top: tuple[Candidate, ...] = ()
    """The three most probable numbers."""
    tens: tuple[float, ...] = ()
    """Probabilities of 0 to 9 and of no tens digit."""
    ones: tuple[float, ...] = ()
    """Probabilities of 0 to 9."""
    frames: tuple[Frame, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    sequence: str = ""
    track: str = ""
    """The tracker's name, or that of a piece of its track, such as `4/a`."""
    first_frame: int | None = None
    """In a video: the track's first frame, as the tracker counts."""
    last_frame: int | None = None
    piece_of: str | None = None
    """The tracker's name of a track in which the player changes; `track` is then `4/a`, `4/b` …"""
    player_id: str | None = None
    """The same for tracks that may show one player."""
    players: tuple[RosterPlayer, ...] = ()
    conflict: Conflict | None = None
    windows: int | None = None
    windows_against: int | None = None
    precision: str | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Prediction:
        """Makes one of the program's JSON. Keys that this version does not know are passed over."""
        conflict = value.get("conflict")
        return cls(
            number=value["number"],
            confidence=value["confidence"],
            unreadable=value.get("unreadable", False),
            top=tuple(Candidate(c["number"], c["probability"]) for c in value.get("top", [])),
            tens=tuple(value.get("tens", [])),
            ones=tuple(value.get("ones", [])),
            frames=tuple(_frame(frame) for frame in value.get("frames", [])),
            left_out=tuple(LeftOut(f["path"], f["reason"]) for f in value.get("left_out", [])),
            sequence=value.get("sequence", ""),
            track=value.get("track", ""),
            first_frame=value.get("first_frame"),
            last_frame=value.get("last_frame"),
            piece_of=value.get("piece_of"),
            player_id=value.get("player_id"),
            players=tuple(RosterPlayer(p["team"], p["name"]) for p in value.get("players") or []),
            conflict=Conflict(conflict["number"], conflict["probability"]) if conflict else None,
            windows=value.get("windows"),
            windows_against=value.get("windows_against"),
            precision=value.get("precision"),
        )


def _frame(value: Mapping[str, Any]) -> Frame:
    box = value.get("box")
    return Frame(
        path=value["path"],
        weight=value.get("weight"),
        box=NumberBox(box["left"], box["top"], box["width"], box["height"], box["confidence"])
        if box
        else None,
    )


@dataclass(frozen=True)
class Piece:
    """A track, or a piece of one, that shows a player."""

    track: str
    first_second: float
    last_second: float
    first_frame: int
    last_frame: int


@dataclass(frozen=True)
class Player:
    """A player of a video whose people the program followed itself."""

    number: str | None
    """None for a track whose number was not read."""
    team: str | None
    """`A`, `B` or `other`, or the team's name; None where it is unknown."""
    colour: str | None
    """The colour of the shirt as `#rrggbb`."""
    names: tuple[str, ...]
    """By the roster; several where it does not tell."""
    confidence: float | None
    seconds: float
    """How long the player is in the picture."""
    pieces: tuple[Piece, ...]
    """When the player is seen, in time order; at least one."""

    @property
    def tracks(self) -> tuple[str, ...]:
        """The names of the tracks that show the player."""
        return tuple(piece.track for piece in self.pieces)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Player:
        """Makes one of the program's JSON. Keys that this version does not know are passed over."""
        return cls(
            number=value.get("number"),
            team=value.get("team"),
            colour=value.get("colour"),
            names=tuple(value.get("names", [])),
            confidence=value.get("confidence"),
            seconds=value.get("seconds", 0.0),
            pieces=tuple(
                Piece(p["track"], p["first_second"], p["last_second"], p["first_frame"], p["last_frame"])
                for p in value.get("pieces", [])
            ),
        )


@dataclass(frozen=True)
class Reading(Sequence[Prediction]):
    """What was read of folders, archives or a video: a sequence of predictions, one for each player's
    frames, or for each track."""

    tracks: tuple[Prediction, ...]
    players: tuple[Player, ...] = ()
    """Who was seen in a video without boxes, those with a number first. Else empty."""
    notes: tuple[str, ...] = ()
    """What the program remarked, such as boxes that it passed over."""
    _by_track: dict[str, list[Prediction]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_track: dict[str, list[Prediction]] = {}
        for prediction in self.tracks:
            by_track.setdefault(prediction.piece_of or prediction.track, []).append(prediction)
        object.__setattr__(self, "_by_track", by_track)

    @classmethod
    def from_json(cls, value: Any, notes: Sequence[str] = ()) -> Reading:
        """Makes one of the program's JSON: a list of predictions, or an object with players and tracks."""
        tracks, players = (value["tracks"], value["players"]) if isinstance(value, Mapping) else (value, [])
        return cls(
            tracks=tuple(Prediction.from_json(track) for track in tracks),
            players=tuple(Player.from_json(player) for player in players),
            notes=tuple(notes),
        )

    def at(self, track: int | str, frame: int | None = None) -> Prediction | None:
        """What was read of a tracker's track.

        Where the player of the track changes, it is the piece that shows `frame` (as the tracker counts), or
        is nearest to it; without a frame, the surest piece. None if the track was not read.
        """
        pieces = self._by_track.get(str(track), [])
        if len(pieces) < 2:
            return pieces[0] if pieces else None
        if frame is None:
            return max(pieces, key=lambda piece: (piece.number is not None, piece.confidence or 0.0))

        def distance(piece: Prediction) -> int:
            first = frame if piece.first_frame is None else piece.first_frame
            last = frame if piece.last_frame is None else piece.last_frame
            return max(first - frame, frame - last, 0)

        return min(pieces, key=distance)

    def __getitem__(self, index: Any) -> Any:
        return self.tracks[index]

    def __len__(self) -> int:
        return len(self.tracks)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.tracks)
