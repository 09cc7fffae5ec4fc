"""Composes pictures of matches from rendered athletes, with the boxes of everybody on the playing surface."""

import cv2
import numpy as np
from athletes import Athletes

GROUNDS = {
    "grass": (0.64, [(47, 107, 34), (106, 143, 60), (42, 79, 32), (120, 138, 88), (88, 140, 48)]),
    "court": (0.15, [(185, 138, 84), (226, 190, 140), (168, 92, 60), (31, 95, 168), (62, 124, 176)]),
    "floor": (0.08, [(140, 143, 147), (85, 96, 107), (47, 127, 106), (42, 79, 144)]),
    "ice": (0.1, [(228, 234, 238), (184, 196, 204), (205, 214, 226)]),
    "track": (0.03, [(156, 68, 48), (192, 106, 76)]),
}
LETTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ILTJ1il ")
FONTS = [
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
]


class Scenes:
    """An endless stream of pictures with boxes; the same seed makes the same pictures."""

    def __init__(self, athletes: Athletes, size: int, seed: int):
        self.athletes, self.size = athletes, size
        self.random = np.random.default_rng(seed)

    def uniform(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def scene(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A picture (size, size, 3), boxes (n, 4: left, top, right, bottom), farthest first, and a mask of
        what counts neither as somebody nor as nobody."""
        size = self.size
        match = self.athletes.matches[self.athletes.names[self.random.integers(len(self.athletes.names))]]
        roles = {role: self._tinted(cutouts) for role, cutouts in match.items()}
        horizon = self.uniform(0.05, 0.5) * size if self.chance(0.6) else -self.uniform(0.2, 2) * size
        height = float(np.exp(self.uniform(np.log(20), np.log(140))))
        if self.chance(0.18):
            height = self.uniform(120, 300)
        picture = self._ground(horizon, height)
        ignored = np.zeros((size, size), np.uint8)
        if horizon > 0:
            self._stand(picture, ignored, horizon, height, roles)
        for _ in range(self.random.poisson(1.2)):
            self._thing(picture, height)
        picture, boxes, outside = self._people(picture, horizon, height, roles)
        for left, top, right, bottom in outside:
            ignored[
                max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : max(0, int(right) + 1)
            ] = 1
        picture = self._photographed(picture)
        if self.chance(0.12):
            self._graphics(picture)
        if self.chance(0.5):
            picture, ignored = picture[:, ::-1], ignored[:, ::-1]
            boxes[:, [0, 2]] = size - boxes[:, [2, 0]]
        return np.ascontiguousarray(picture), boxes, np.ascontiguousarray(ignored)

    # What stands still

    def _noise(self, rows: int, columns: int, across: float, down: float) -> np.ndarray:
        coarse = self.random.standard_normal((max(2, int(rows / down)), max(2, int(columns / across))))
        return cv2.resize(coarse.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)

    def _ground(self, horizon: float, height: float) -> np.ndarray:
        size = self.size
        kinds = list(GROUNDS)
        kind = kinds[self.random.choice(len(kinds), p=[GROUNDS[name][0] for name in kinds])]
        colours = np.array(GROUNDS[kind][1], np.float32)
        a, b = colours[self.random.integers(len(colours), size=2)]
        colour = a + (b - a) * self.uniform(0, 1)
        picture = np.empty((size, size, 3), np.float32)
        picture[:] = colour + self.random.normal(0, 8, 3)
        if kind in ("grass", "court") and self.chance(0.6):
            self._bands(picture, height, 0.16 if kind == "grass" else 0.06)
        rough = self.uniform(0, 0.1 if kind == "grass" else 0.04)
        grain = self._noise(size, size, 1.5, 1) * rough * self.uniform(0, 1)
        grain += self._noise(size, size, height * 0.5, height * 0.2) * rough
        picture *= (1 + grain)[..., None]
        lines = {
            "ice": [(192, 32, 48), (32, 80, 168)],
            "court": [(255, 255, 255), (32, 36, 40), (232, 208, 64)],
        }
        for _ in range(self.random.integers(0, 4)):
            options = lines.get(kind, [(240, 245, 240)])
            self._line(picture, options[self.random.integers(len(options))], height)
        if kind != "grass" and self.chance(0.4):
            self._logo(picture, height)
        if self.chance(0.35):
            self._shade(picture)
        return picture

    def _bands(self, picture: np.ndarray, height: float, most: float) -> None:
        size = self.size
        y, x = np.mgrid[0:size, 0:size].astype(np.float32)
        slant = self.uniform(-1.2, 1.2) if self.chance(0.7) else self.uniform(-30, 30)
        width = self.uniform(0.5, 6) * height * max(1, abs(slant) * 0.5)
        place = (x + slant * (y - size / 2)) / width + self.uniform(0, 2)
        wave = np.tanh(np.sin(place * np.pi) * self.uniform(2, 20))
        picture *= (1 + self.uniform(0, most) * wave)[..., None]

    def _line(self, picture: np.ndarray, colour, height: float) -> None:
        size = self.size
        points = self.random.uniform(-0.3 * size, 1.3 * size, (2, 2))
        thick = max(1, int(height * self.uniform(0.03, 0.1)))
        layer = picture.copy()
        if self.chance(0.7):
            cv2.line(layer, *(tuple(map(int, point)) for point in points), colour, thick, cv2.LINE_AA)
        else:
            radii = (int(height * self.uniform(1, 6)), int(height * self.uniform(0.4, 3)))
            cv2.ellipse(layer, tuple(map(int, points[0])), radii, 0, 0, 360, colour, thick, cv2.LINE_AA)
        share = self.uniform(0.3, 0.95)
        picture[:] = picture * (1 - share) + layer * share

    def _logo(self, picture: np.ndarray, height: float) -> None:
        layer = picture.copy()
        self._text(layer, self.random.uniform(0, self.size, 2), height * self.uniform(0.3, 2), self._colour())
        share = self.uniform(0.3, 1)
        picture[:] = picture * (1 - share) + layer * share

    def _text(self, layer: np.ndarray, place, height: float, colour) -> None:
        letters = "".join(self.random.choice(LETTERS, self.random.integers(2, 12)))
        font = FONTS[self.random.integers(len(FONTS))]
        mask = np.zeros(layer.shape[:2], np.uint8)
        thick = max(1, int(height / 8))
        cv2.putText(
            mask, letters, tuple(map(int, place)), font, max(0.2, height / 22), 255, thick, cv2.LINE_AA
        )
        cover = mask[..., None] / np.float32(255)
        layer[:] = layer * (1 - cover) + np.float32(colour) * cover

    def _colour(self) -> tuple[float, ...]:
        if self.chance(0.4):
            return (self.uniform(0, 255),) * 3
        return tuple(map(float, self.random.uniform(0, 255, 3)))

    def _shade(self, picture: np.ndarray) -> None:
        size = self.size
        mask = np.zeros((size, size), np.float32)
        points = self.random.uniform(-0.5 * size, 1.5 * size, (self.random.integers(3, 6), 2)).astype(int)
        cv2.fillPoly(mask, [points], 1)
        mask = cv2.GaussianBlur(mask, (0, 0), self.uniform(0.6, 25))
        picture *= (1 - self.uniform(0.1, 0.6) * mask)[..., None]

    def _stand(self, picture: np.ndarray, ignored: np.ndarray, horizon: float, height: float, roles) -> None:
        """Boards, and above them a crowd, seats or darkness."""
        size = self.size
        edge = int(horizon)
        seats = np.empty((edge, size, 3), np.float32)
        seats[:] = np.array(self._colour(), np.float32) * self.uniform(0.1, 0.8)
        lively = self.uniform(0, 70)
        grain = height * self.uniform(0.05, 0.3)
        for channel in range(3):
            seats[..., channel] += self._noise(edge, size, grain, grain) * lively
        seats += (self._noise(edge, size, 1, 1) * self.uniform(0, 15))[..., None]
        picture[:edge] = seats.clip(0, 255)
        if self.chance(0.4):
            # Spectators, who are people, but not wanted.
            tall = height * self.uniform(0.35, 0.9)
            everybody = [cutout for cutouts in roles.values() for cutout in cutouts]
            for _ in range(min(150, int(edge * size / (tall * tall * 0.5)))):
                foot = (self.uniform(0, size), self.uniform(0.2, edge + 0.3 * tall))
                self._draw(
                    picture,
                    everybody[self.random.integers(len(everybody))],
                    foot,
                    tall,
                    dim=self.uniform(0.4, 1),
                )
            ignored[:edge] = 1
        if self.chance(0.8):
            self._boards(picture, ignored, edge, height)

    def _boards(self, picture: np.ndarray, ignored: np.ndarray, edge: int, height: float) -> None:
        """One to three rows of boards above an edge. Their letters are as large as people, and nobody."""
        bottom, same, ink = edge, self._colour(), self._colour()
        for _ in range(self.random.integers(1, 4)):
            tall = min(bottom, max(4, int(height * self.uniform(0.25, 1))))
            if tall < 4:
                return
            x, top = -self.uniform(0, 100), bottom - tall
            is_same = self.chance(0.5)
            while x < self.size:
                wide = int(height * self.uniform(1, 6))
                colour = same if is_same else self._colour()
                cv2.rectangle(picture, (int(x), top), (int(x) + wide, bottom), colour, -1)
                letters = tall * self.uniform(0.3, 0.85)
                place = (
                    x + self.uniform(-0.1, 0.3) * wide,
                    bottom - (tall - letters) * self.uniform(0.2, 0.8),
                )
                self._text(picture, place, letters, ink if is_same else self._colour())
                x += wide
            ignored[top:bottom] = 0
            bottom = top - int(height * self.uniform(0, 0.2))

    def _thing(self, picture: np.ndarray, height: float) -> None:
        """Something that is nobody: a post, a box, a ball, a flag, a net."""
        size = self.size
        place = self.random.uniform(0, size, 2)
        kind = self.random.integers(5)
        colour = self._colour()
        corner = tuple(map(int, place))
        if kind == 0:
            far = place + self.random.normal(0, 1, 2) * height * (0.1, 1) * (1, self.uniform(0.3, 3))
            cv2.line(picture, corner, tuple(map(int, far)), colour, max(1, int(height * 0.06)), cv2.LINE_AA)
        elif kind == 1:
            far = place + height * self.random.uniform(0.2, 1.2, 2)
            cv2.rectangle(picture, corner, tuple(map(int, far)), colour, -1)
        elif kind == 2:
            radius = max(1, int(height * self.uniform(0.05, 0.09)))
            cv2.circle(picture, corner, radius, (235, 235, 230), -1, cv2.LINE_AA)
        elif kind == 3:
            radii = tuple(map(int, height * self.random.uniform(0.1, 0.5, 2)))
            cv2.ellipse(picture, corner, radii, self.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        else:
            step = max(2, int(height * self.uniform(0.05, 0.15)))
            reach = height * self.random.uniform(0.8, 3, 2)
            for x in np.arange(place[0], place[0] + reach[0], step):
                cv2.line(
                    picture, (int(x), int(place[1])), (int(x), int(place[1] + reach[1])), (225, 225, 225), 1
                )
            for y in np.arange(place[1], place[1] + reach[1], step):
                cv2.line(
                    picture, (int(place[0]), int(y)), (int(place[0] + reach[0]), int(y)), (225, 225, 225), 1
                )

    # Who moves

    def _tinted(self, cutouts):
        """One role's athletes in slightly other colours, so that kits differ in every scene."""
        gains = self.random.uniform(0.75, 1.45) * self.random.uniform(0.88, 1.12, 3)
        return [(sizes, box, gains) for sizes, box in cutouts]

    def _people(self, picture: np.ndarray, horizon: float, height: float, roles):
        """Draws them, and returns their boxes and those of people of whom too little is seen."""
        size = self.size
        slope = height / max(60.0, size * 0.7 - horizon) if self.chance(0.7) else 0.0
        shares = {"home": 0.42, "away": 0.42, "keeper": 0.04, "official": 0.1, "bystander": 0.02}
        names = list(shares)
        most = (size / height) ** 2 * 0.5
        count = int(min(30, max(1, self.random.gamma(1.5, 0.32 * most))))
        if self.chance(0.05):
            count = 0
        feet: list[tuple[float, float]] = []
        while len(feet) < count:
            if feet and self.chance(0.3):
                x, y = feet[self.random.integers(len(feet))]
                feet.append(
                    (x + self.random.normal(0, 0.35) * height, y + self.random.normal(0, 0.12) * height)
                )
            else:
                feet.append((self.uniform(-0.05, 1.05) * size, self.uniform(max(0, horizon), size * 1.15)))
        shadows = [
            (self.uniform(-1.5, 1.5), self.uniform(-0.35, 0.35)) for _ in range(self.random.integers(0, 5))
        ]
        darkness = self.uniform(0.08, 0.55) / max(1, len(shadows)) ** 0.5
        drawn = []
        for x, y in sorted(feet, key=lambda foot: foot[1]):
            if y < horizon:
                continue
            role = names[self.random.choice(5, p=list(shares.values()))]
            cutout = roles[role][self.random.integers(len(roles[role]))]
            tall = max(12.0, (height + slope * (y - size * 0.7)) * self.uniform(0.92, 1.08))
            drawn.append((cutout, (x, y), tall))
        for cutout, foot, tall in drawn:
            for way in shadows:
                self._shadow(picture, cutout, foot, tall, way, darkness)
        owners = np.full((size, size), -1, np.int16)
        boxes, areas = [], []
        for index, (cutout, foot, tall) in enumerate(drawn):
            box, area = self._draw(picture, cutout, foot, tall, owners=owners, index=index)
            boxes.append(box)
            areas.append(area)
        seen = np.bincount(owners[owners >= 0].ravel(), minlength=len(drawn))
        kept, outside = [], []
        for box, area, share in zip(boxes, areas, seen, strict=True):
            inside = np.clip(box, 0, size)
            if inside[2] - inside[0] < 3 or inside[3] - inside[1] < 6:
                continue
            cut = (
                (inside[2] - inside[0])
                * (inside[3] - inside[1])
                / max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))
            )
            (kept if share >= 0.25 * area and cut > 0.3 else outside).append(inside)
        return picture, np.array(kept, np.float32).reshape(-1, 4), outside

    def _layers(self, cutout, tall: float):
        sizes, box, gains = cutout
        scale = tall / 260
        level = 0 if scale > 0.5 else 1 if scale > 0.25 else 2
        layers = sizes[level]
        shape = (max(3, round(sizes[0].shape[1] * scale)), max(3, round(sizes[0].shape[0] * scale)))
        return cv2.resize(layers, shape, interpolation=cv2.INTER_AREA).astype(np.float32), box * scale, gains

    def _place(self, foot, shape):
        """The part of a layer that is in the picture: its corner, and slices of picture and layer."""
        left, top = round(foot[0] - shape[1] / 2), round(foot[1] - shape[0])
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.size, left + shape[1]), min(self.size, top + shape[0])
        if x0 >= x1 or y0 >= y1:
            return left, top, None, None
        return left, top, np.s_[y0:y1, x0:x1], np.s_[y0 - top : y1 - top, x0 - left : x1 - left]

    def _draw(self, picture, cutout, foot, tall, owners=None, index=0, dim=1.0):
        layers, box, gains = self._layers(cutout, tall)
        left, top, target, source = self._place(foot, layers.shape)
        bounds = np.array([left + box[0], top + box[1], left + box[0] + box[2], top + box[1] + box[3]])
        opacity = layers[..., 3]
        if target is not None:
            part = layers[source]
            cover = part[..., 3:] / 255
            picture[target] = picture[target] * (1 - cover) + part[..., :3] * gains * dim
            if owners is not None:
                owners[target][part[..., 3] > 127] = index
        return bounds, int((opacity > 127).sum())

    def _shadow(self, picture, cutout, foot, tall, way, darkness) -> None:
        layers, _, _ = self._layers(cutout, tall)
        rows, columns = layers.shape[:2]
        reach = abs(way[0]) * rows
        width, height = int(columns + 2 * reach) + 2, max(2, int(rows * (abs(way[1]) + 0.05)) + 2)
        # The feet stay where they are; the head moves along the ground.
        middle = width / 2
        down = way[1] if abs(way[1]) > 0.05 else 0.05
        base = height - 1 if down < 0 else 1
        matrix = np.float32(
            [[1, -way[0], middle - columns / 2 + way[0] * rows], [0, -down, base + down * rows]]
        )
        mask = cv2.warpAffine(layers[..., 3] / 255, matrix, (width, height))
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.4, tall * 0.01))
        bottom = foot[1] - 0.02 * tall + (0 if down < 0 else height)
        _, _, target, source = self._place((foot[0], bottom), mask.shape)
        if target is not None:
            picture[target] *= 1 - darkness * mask[source][..., None]

    # The camera

    def _photographed(self, picture: np.ndarray) -> np.ndarray:
        size = self.size
        if self.chance(0.5):
            picture = cv2.GaussianBlur(picture, (0, 0), self.uniform(0.3, 1.3))
        if self.chance(0.2):
            length = self.random.integers(2, 8)
            kernel = np.zeros((length, length), np.float32)
            ends = [(0, self.random.integers(length)), (length - 1, self.random.integers(length))]
            cv2.line(kernel, *(tuple(map(int, end)) for end in ends), 1, 1)
            picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
        if self.chance(0.3):
            small = int(size * self.uniform(0.45, 0.9))
            picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
            picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
        if self.chance(0.5):
            soft = cv2.GaussianBlur(picture, (0, 0), 1)
            picture = picture + (picture - soft) * self.uniform(0.2, 1.5)
        grey = picture @ np.float32([0.299, 0.587, 0.114])
        picture = grey[..., None] + (picture - grey[..., None]) * self.uniform(0.5, 1.5)
        picture = (picture - 110) * self.uniform(0.7, 1.3) + 110 * self.uniform(0.6, 1.35)
        picture = picture * self.random.uniform(0.93, 1.07, 3)
        picture += self.random.standard_normal((size, size, 1), np.float32) * self.uniform(0, 7)
        picture = picture.clip(0, 255).astype(np.uint8)
        if self.chance(0.8):
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(self.random.integers(25, 95))]
            picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
        return picture

    def _graphics(self, picture: np.ndarray) -> None:
        """A score or a name over the picture."""
        corner = self.random.uniform(0, self.size * 0.8, 2).astype(int)
        far = corner + self.random.uniform((40, 12), (200, 40)).astype(int)
        cv2.rectangle(picture, tuple(map(int, corner)), tuple(map(int, far)), self._colour(), -1)
        tall = float(far[1] - corner[1])
        self._text(picture, (corner[0] + 4, far[1] - tall * 0.25), tall * 0.6, self._colour())
