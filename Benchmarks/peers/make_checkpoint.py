"""Writes a checkpoint of `attn_bgru_luong` as the study saves it, with random weights."""

import argparse

import torch
from study import LuongModel, learning_rate_groups

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("file", help="output file (.pth)")
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--legacy", action="store_true", help="use the format before PyTorch 1.6 instead of zip")
parser.add_argument("--weights-only", action="store_true", help="omit the states of optimizer and schedule")
options = parser.parse_args()

torch.manual_seed(options.seed)
model = LuongModel()
checkpoint = {"model_state": model.state_dict()}
if not options.weights_only:
    # One step on tiny frames gives the optimizer a state to save.
    optimizer = torch.optim.Adam(learning_rate_groups(model), weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    tens, ones = model(torch.randn(2, 2, 3, 32, 32), torch.tensor([2, 1]))
    (tens.logsumexp(1).sum() + ones.logsumexp(1).sum()).backward()
    optimizer.step()
    scheduler.step()
    checkpoint |= {"optimizer_state": optimizer.state_dict(), "scheduler_state": scheduler.state_dict()}
checkpoint |= {
    "epoch": 0,
    "val_acc": 0.0,
    "config": {
        "img_height": 192,
        "img_width": 96,
        "max_seq_len": 16,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "weight_decay": 1e-4,
        "use_discriminative_lr": True,
        "backbone": "resnet18",
        "seq_hidden_dim": 128,
        "classes": ["4", "6", "8", "9", "48", "49", "64", "66", "88", "89"],
        "loss_weights": (1.0, 1.0),
        "seed": options.seed,
    },
}
torch.save(checkpoint, options.file, _use_new_zipfile_serialization=not options.legacy)
