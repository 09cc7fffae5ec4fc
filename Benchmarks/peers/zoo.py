"""The study's eighteen models in plain PyTorch, under the names of its checkpoints, and the bundled
model's network: they read the `.pth` files that jersey exports.
"""

import torch
from bundled import Model as Bundled
from study import MEAN, STD
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchvision import models

SINGLE = {
    "basic_r18": "resnet18",
    "basic_effb0": "efficientnet_b0",
    "basic_effl0": "efficientnet_b0",
    "basic_mv3l": "mobilenet_v3_large",
    "basic_mv3s": "mobilenet_v3_small",
    "basic_sv2": "shufflenet_v2_x1_0",
}
# Cell, whether it is bidirectional, and the pooling of its states.
SEQUENCES = {
    "seq_brnn_mp": (nn.RNN, True, "mean"),
    "seq_urnn_fs": (nn.RNN, False, "final"),
    "seq_bgru_mp": (nn.GRU, True, "mean"),
    "seq_ugru_fs": (nn.GRU, False, "final"),
    "seq_blstm_mp": (nn.LSTM, True, "mean"),
    "seq_ulstm_fs": (nn.LSTM, False, "final"),
    "attn_bgru_bahdanau": (nn.GRU, True, "bahdanau"),
    "attn_bgru_luong": (nn.GRU, True, "luong"),
    "attn_bgru_gate": (nn.GRU, True, "gate"),
    "attn_bgru_hc": (nn.GRU, True, "hc"),
    "attn_ugru_gate": (nn.GRU, False, "gate"),
    "attn_ugru_hc": (nn.GRU, False, "hc"),
}


def backbone(name):
    network = getattr(models, name)(weights=None)
    if name.startswith("mobilenet"):
        linear = network.classifier[0]
        # Features are pooled in the classifier's replacement, not before.
        network.avgpool = nn.Identity()
        network.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear, nn.Hardswish())
        network.forward = lambda frames: network.classifier(network.features(frames))
        return network, linear.out_features
    if name.startswith("efficientnet"):
        width, network.classifier = network.classifier[1].in_features, nn.Identity()
    else:
        width, network.fc = network.fc.in_features, nn.Identity()
    return network, width


class Single(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.backbone, width = backbone(SINGLE[name])
        self.fc_tens, self.fc_ones = nn.Linear(width, 11), nn.Linear(width, 10)

    def forward(self, frames):
        features = self.backbone(frames)
        return self.fc_tens(features), self.fc_ones(features)


class Sequence(nn.Module):
    def __init__(self, name):
        super().__init__()
        cell, both, self.pooling = SEQUENCES[name]
        self.encoder = nn.Module()
        self.encoder.backbone, features = backbone("resnet18")
        self.recurrent = "gru" if name.startswith("attn") else "rnn"
        self.add_module(self.recurrent, cell(features, 128, bidirectional=both, batch_first=True))
        width = 256 if both else 128
        if self.pooling in ("bahdanau", "luong"):
            self.attn_query, self.attn_key = nn.Linear(width, 128), nn.Linear(width, 128)
        if self.pooling == "bahdanau":
            self.attn_score = nn.Linear(128, 1, bias=False)
        if self.pooling == "gate":
            self.gate_mlp = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 1))
        if self.pooling == "hc":
            self.temperature = nn.Parameter(torch.tensor(0.1))
            self.score_mlp = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 1))
        self.fc_tens, self.fc_ones = nn.Linear(width, 11), nn.Linear(width, 10)

    def forward(self, frames, lengths):
        batch, time = frames.shape[:2]
        features = self.encoder.backbone(frames.flatten(0, 1)).view(batch, time, -1)
        packed = pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        packed, last = getattr(self, self.recurrent)(packed)
        states, _ = pad_packed_sequence(packed, batch_first=True)
        last = torch.cat(list(last[0] if isinstance(last, tuple) else last), 1)
        pooled = self.pooled(states, last, lengths)
        return self.fc_tens(pooled), self.fc_ones(pooled)

    def pooled(self, states, last, lengths):
        if self.pooling == "final":
            return last
        if self.pooling == "mean":
            return states.sum(1) / lengths.unsqueeze(1)
        valid = torch.arange(states.shape[1]) < lengths.unsqueeze(1)
        if self.pooling == "bahdanau":
            scores = self.attn_score(
                torch.tanh(self.attn_query(last).unsqueeze(1) + self.attn_key(states))
            ).squeeze(2)
        elif self.pooling == "luong":
            scores = (self.attn_key(states) @ self.attn_query(last).unsqueeze(2)).squeeze(2) / 128**0.5
        elif self.pooling == "gate":
            scores = self.gate_mlp(states).squeeze(2)
        else:
            scores = self.score_mlp(states).squeeze(2) / self.temperature.clamp(1e-3, 10)
        weights = scores.masked_fill(~valid, float("-inf")).softmax(1)
        if self.pooling == "hc":
            best = weights.topk(min(3, weights.shape[1]), 1)
            weights = torch.zeros_like(weights).scatter(
                1, best.indices, best.values / best.values.sum(1, keepdim=True)
            )
        return (states * weights.unsqueeze(2)).sum(1)


class Evidence(nn.Module):
    """The bundled model's network, which sums over a sequence's frames."""

    def __init__(self):
        super().__init__()
        self.network = Bundled()

    def forward(self, frames, lengths):
        tens, ones, readable = self.network(frames.flatten(0, 1))
        valid = (torch.arange(frames.shape[1]) < lengths.unsqueeze(1)).unsqueeze(2)
        return tuple(
            torch.where(valid, (x * readable).view(*frames.shape[:2], -1), 0).sum(1) for x in (tens, ones)
        )


def load(name, path):
    """Returns the model of that name with a checkpoint's weights, and its input; None if it does not exist
    here."""
    state = torch.load(path, map_location="cpu")["model_state"]
    if name in SINGLE:
        model = inner = Single(name)
    elif name in SEQUENCES:
        model = inner = Sequence(name)
    elif name == "evidence_tied":
        model = Evidence()
        inner = model.network
    else:
        return None
    inner.load_state_dict(state)
    return model.eval()


def normalized(frames):
    """Converts uint8 (..., H, W, 3) to float32 (..., 3, H, W)."""
    return (frames.movedim(-1, -3) / 255 - MEAN) / STD
