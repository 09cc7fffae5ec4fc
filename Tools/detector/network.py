"""The detector's network: MobileNetV2 with a feature pyramid that ends at an eighth of the picture."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 8
WIDTH = 96
# The first block of MobileNetV2 that is trained.
LEARNT = 6
# Output channels, the number of blocks and the first stride of each stage of MobileNetV2.
STAGES = [(16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)]


class Convolution(nn.Module):
    """A convolution with TensorFlow's padding, which is asymmetric for even pictures and stride 2."""

    def __init__(
        self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, relu: bool = True
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.size, self.stride, self.groups, self.relu = size, stride, groups, relu
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu" if relu else "linear")

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = F.pad(x, (0, 1, 0, 1))
        padding = 0 if self.stride == 2 else self.size // 2
        x = F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        return F.relu6(x) if self.relu else x


class Block(nn.Module):
    """An inverted residual."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        self.expand = Convolution(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = Convolution(inner, inner, 3, stride, groups=inner)
        self.project = Convolution(inner, outputs, 1, relu=False)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The block's output, and its expanded input."""
        inner = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(inner))
        return (x + y if self.adds else y), inner


class Separable(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = Convolution(channels, channels, 3, groups=channels, relu=False)
        self.pointwise = Convolution(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class Detector(nn.Module):
    """Maps pictures, scaled to -1...1, whose sides are multiples of 32, to maps of an eighth of the size."""

    def __init__(self):
        super().__init__()
        self.stem = Convolution(3, 32, 3, 2)
        blocks, inputs = [], 32
        for outputs, count, stride in STAGES:
            for index in range(count):
                blocks.append(Block(inputs, outputs, stride if index == 0 else 1, 6 if blocks else 1))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.lateral8 = Convolution(192, WIDTH, 1, relu=False)
        self.lateral16 = Convolution(576, WIDTH, 1, relu=False)
        self.lateral32 = Convolution(320, WIDTH, 1, relu=False)
        self.merge16 = Separable(WIDTH)
        self.head = nn.Sequential(Separable(WIDTH), Separable(WIDTH))
        # The score's logit; distances from the cell's middle to the box's left, top, right and bottom.
        self.output = Convolution(WIDTH, 5, 1, relu=False)
        with torch.no_grad():
            self.output.weight *= 0.1
            self.output.bias[0] = -4
            self.output.bias[1:] = 3

    def early(self, x: Tensor) -> Tensor:
        """What needs no learning: edges and textures, at an eighth of the size."""
        x = self.stem(x)
        for block in self.blocks[:LEARNT]:
            x, _ = block(x)
        return x

    def late(self, x: Tensor) -> tuple[Tensor, Tensor]:
        taps = []
        for index, block in enumerate(self.blocks[LEARNT:], start=LEARNT):
            x, inner = block(x)
            if index in (6, 13):
                taps.append(inner)
        x = self.lateral32(x)
        x = self.merge16(F.relu6(self.lateral16(taps[1]) + F.interpolate(x, scale_factor=2)))
        x = self.head(F.relu6(self.lateral8(taps[0]) + F.interpolate(x, scale_factor=2)))
        x = self.output(x)
        return x[:, 0], x[:, 1:]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, height, width), and log2 of distances in pixels (batch, 4, height, width)."""
        return self.late(self.early(x))

    def load_backbone(self, constants: dict[str, np.ndarray]) -> None:
        """Takes MobileNetV2 from an SSDLite graph, with its batch normalisations folded in."""
        root = "FeatureExtractor/MobilenetV2/"
        self._take(constants, self.stem, root + "Conv")
        for index, block in enumerate(self.blocks):
            name = root + "expanded_conv" + (f"_{index}" if index else "")
            if block.expand is not None:
                self._take(constants, block.expand, name + "/expand")
            self._take(constants, block.depthwise, name + "/depthwise")
            self._take(constants, block.project, name + "/project")

    @staticmethod
    def _take(constants: dict[str, np.ndarray], layer: Convolution, name: str) -> None:
        if layer.groups > 1:
            weight = constants[name + "/depthwise_weights"].transpose(2, 3, 0, 1)
        else:
            weight = constants[name + "/weights"].transpose(3, 2, 0, 1)
        gamma, beta, mean, variance = (
            constants[f"{name}/BatchNorm/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + 1e-3)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight * scale[:, None, None, None]))
            layer.bias.copy_(torch.tensor(beta - mean * scale))


def decoded(logits: Tensor, distances: Tensor, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (left, top, right, bottom) in pixels of the network's input, and scores, of one picture."""
    scores = torch.sigmoid(logits.float())
    rows, columns = (scores > threshold).nonzero(as_tuple=True)
    d = torch.exp2(distances[:, rows, columns].float().clamp(-2, 10)).numpy()
    x, y = (columns.numpy() + 0.5) * STRIDE, (rows.numpy() + 0.5) * STRIDE
    boxes = np.stack([x - d[0], y - d[1], x + d[2], y + d[3]], 1)
    return boxes, scores[rows, columns].numpy()


def suppressed(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Indices of the boxes that are left by non-maximum suppression, best first."""
    order, kept = np.argsort(-scores, kind="stable"), []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        width = np.minimum(boxes[best, 2], boxes[rest, 2]) - np.maximum(boxes[best, 0], boxes[rest, 0])
        height = np.minimum(boxes[best, 3], boxes[rest, 3]) - np.maximum(boxes[best, 1], boxes[rest, 1])
        shared = width.clip(0) * height.clip(0)
        order = rest[shared <= overlap * (areas[best] + areas[rest] - shared)]
    return np.array(kept, int)
