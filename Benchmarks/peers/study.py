"""The study's best model and its preprocessing, rewritten in plain PyTorch and shared by the peers."""

import re

import torch
import torchvision.transforms.functional as TF
from PIL import Image
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchvision.models import resnet18

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
IMAGES = {".jpg", ".jpeg", ".png"}


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = resnet18(weights=None)
        self.backbone.fc = nn.Identity()

    def forward(self, images):
        return self.backbone(images)


class LuongModel(nn.Module):
    """`attn_bgru_luong`: ResNet-18 per frame, bidirectional GRU, scaled dot-product attention, two heads."""

    def __init__(self, hidden=128, attention=128):
        super().__init__()
        self.encoder = Encoder()
        self.gru = nn.GRU(512, hidden, bidirectional=True, batch_first=True)
        self.attn_query = nn.Linear(2 * hidden, attention)
        self.attn_key = nn.Linear(2 * hidden, attention)
        self.fc_tens = nn.Linear(2 * hidden, 11)
        self.fc_ones = nn.Linear(2 * hidden, 10)

    def forward(self, frames, lengths):
        batch, time = frames.shape[:2]
        features = self.encoder(frames.flatten(0, 1)).view(batch, time, -1)
        packed = pack_padded_sequence(features, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, last = self.gru(packed)
        states, _ = pad_packed_sequence(packed, batch_first=True)

        query = self.attn_query(torch.cat([last[0], last[1]], dim=1)).unsqueeze(1)
        scores = torch.bmm(query, self.attn_key(states).transpose(1, 2)).squeeze(1)
        scores = scores / self.attn_key.out_features**0.5
        valid = torch.arange(states.size(1)) < lengths.unsqueeze(1)
        weights = scores.masked_fill(~valid, float("-inf")).softmax(dim=1)
        pooled = (states * weights.unsqueeze(-1)).sum(dim=1)
        return self.fc_tens(pooled), self.fc_ones(pooled)


def learning_rate_groups(model, backbone=1e-4, temporal=3e-4, heads=3e-4):
    """Returns parameter groups with the study's discriminative rates."""
    groups = [
        (backbone, [model.encoder]),
        (temporal, [model.gru]),
        (temporal, [model.attn_query, model.attn_key]),
        (heads, [model.fc_tens, model.fc_ones]),
    ]
    return [{"params": [p for m in modules for p in m.parameters()], "lr": rate} for rate, modules in groups]


def frame_paths(folder):
    """Returns the images of a sequence as in the study: anchor first, the rest in text order by name."""
    images = sorted((p for p in folder.iterdir() if p.suffix.lower() in IMAGES), key=lambda p: p.name)
    return sorted(images, key=lambda p: "anchor" not in p.name.lower())


def sample(paths, limit=16):
    """Returns at most `limit` frames: the first, and evenly chosen others."""
    if len(paths) <= limit:
        return paths
    others = paths[1:]
    step = len(others) / (limit - 1)
    return paths[:1] + [others[int(i * step)] for i in range(limit - 1)]


def load_frame(path, height=192, width=96, augment=None):
    """Loads a normalised frame, resized with its aspect kept and centred on black."""
    image = Image.open(path).convert("RGB")
    scale = min(height / image.height, width / image.width)
    image = image.resize((int(image.width * scale), int(image.height * scale)), Image.BILINEAR)
    if augment is not None:
        image = augment(image)
    canvas = torch.zeros(3, height, width)
    top, left = (height - image.height) // 2, (width - image.width) // 2
    canvas[:, top : top + image.height, left : left + image.width] = TF.to_tensor(image)
    return (canvas - MEAN) / STD


def digits(number):
    """Returns a number's labels: tens, where 10 is blank, and ones."""
    assert re.fullmatch(r"\d\d?", number), number
    return (int(number[0]), int(number[1])) if len(number) == 2 else (10, int(number))
