#!/usr/bin/env python3
"""Small checkpoints as the reference's runner saves them, written by PyTorch itself.

    python3 tools/golden/make_checkpoints.py tests/fixtures

Needs PyTorch, NumPy, yacs and h5py; neither the build nor the tests run this. Element i of tensor j, in the order of the
names, is ((7 j + 3 i) % 31 - 15) / 16, which every number format holds. One model in several files:

    tiny.pth            the zip archive of today's torch.save
    tiny.legacy.pth     the stream before PyTorch 1.6
    tiny.legacy5.pth    the same with pickles of protocol 5
    tiny.protocol4.pth  the archive with a pickle of protocol 4
    tiny.half.pth       weights in float16 and bfloat16, some as views of a larger storage, names with `module.`
    tiny.deflated.pth   tiny.pth, packed again by a zip tool
    tiny.topk.pth       tiny.pth with LOSS.TOPK 0.35
    tiny.topk.h5        its results: one trial, and the loss of one whose masked counts are the token max_spikes + 1
"""

import argparse
import collections
import pathlib
import zipfile

import h5py
import numpy as np
import torch
from yacs.config import CfgNode

import make_golden

NEURONS, BINS, MAX_SPIKES, EMBED, HIDDEN = 3, 5, 4, 2, 4
CONTEXT_FORWARD, CONTEXT_BACKWARD = 1, 2
NO_LABEL = -100
WIDTH = NEURONS * EMBED
LAYER = "transformer_encoder.layers.0."
SHAPES = {
    "embedder.0.weight": (MAX_SPIKES + 2, EMBED),
    "pos_encoder.pe": (BINS, 1),
    "pos_encoder.pos_embedding.weight": (BINS, WIDTH),
    LAYER + "self_attn.in_proj_weight": (3 * WIDTH, WIDTH),
    LAYER + "self_attn.in_proj_bias": (3 * WIDTH,),
    LAYER + "self_attn.out_proj.weight": (WIDTH, WIDTH),
    LAYER + "self_attn.out_proj.bias": (WIDTH,),
    LAYER + "linear1.weight": (HIDDEN, WIDTH),
    LAYER + "linear1.bias": (HIDDEN,),
    LAYER + "linear2.weight": (WIDTH, HIDDEN),
    LAYER + "linear2.bias": (WIDTH,),
    LAYER + "norm1.weight": (WIDTH,),
    LAYER + "norm1.bias": (WIDTH,),
    LAYER + "norm2.weight": (WIDTH,),
    LAYER + "norm2.bias": (WIDTH,),
    "transformer_encoder.norm.weight": (WIDTH,),
    "transformer_encoder.norm.bias": (WIDTH,),
    "decoder.0.weight": (NEURONS, WIDTH),
    "decoder.0.bias": (NEURONS,),
}


def state_dict() -> "collections.OrderedDict[str, torch.Tensor]":
    tensors = {}
    for j, name in enumerate(sorted(SHAPES)):
        i = torch.arange(int(np.prod(SHAPES[name])))
        tensors[name] = (((7 * j + 3 * i) % 31 - 15) / 16).reshape(SHAPES[name])
    tensors["pos_encoder.pe"] = torch.arange(BINS).unsqueeze(1)
    return collections.OrderedDict((name, tensors[name]) for name in SHAPES)


def half(tensors: "collections.OrderedDict[str, torch.Tensor]") -> "collections.OrderedDict[str, torch.Tensor]":
    result = collections.OrderedDict()
    for j, (name, tensor) in enumerate(tensors.items()):
        if tensor.is_floating_point():
            tensor = tensor.to(torch.float16 if j % 2 else torch.bfloat16)
        if tensor.dim() == 2 and tensor.is_floating_point():
            tensor = torch.cat([tensor, tensor], 1).t().contiguous()[: tensor.shape[1]].t()
        result["module." + name] = tensor
    return result


def checkpoint(topk: float = 1.0) -> dict:
    config = CfgNode({
        "SEED": 100,
        "VARIANT": "tiny",
        "MODEL": {
            "NAME": "NeuralDataTransformer", "TRIAL_LENGTH": -1, "CONTEXT_FORWARD": CONTEXT_FORWARD,
            "CONTEXT_BACKWARD": CONTEXT_BACKWARD, "HIDDEN_SIZE": HIDDEN, "NUM_HEADS": 2, "NUM_LAYERS": 1, "EMBED_DIM": EMBED, "LEARNABLE_POSITION": True,
            "PRE_NORM": True, "LOGRATE": True, "DROPOUT": 0.1, "DECODER": {"LAYERS": 1},
            "LOSS": {"TYPE": "poisson", "TOPK": topk}, "POSITION": {"OFFSET": True},
        },
        "TRAIN": {"LR": {"INIT": 1e-3}},
    })
    config.freeze()
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight], lr=1e-3)
    weight.sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    return {
        "state_dict": state_dict(),
        "optim_state": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
        "config": config,
        "best_val": {"value": torch.tensor(0.5), "update": 3},
        "best_unmasked_val": {"value": 0.5, "update": 3},
        "best_r2": {"value": np.float64(0.875), "update": np.int64(3)},
        "max_spikes": MAX_SPIKES,
        "num_neurons": NEURONS,
        "trial_length": BINS,
        "extra_state": {"update": 3, "checkpoint": 0, "pth_time": 1.5, "max_spikes": MAX_SPIKES},
    }


def loss(log_rates: torch.Tensor, labels: torch.Tensor, topk: float) -> torch.Tensor:
    """As the reference computes it (src/model.py, NeuralDataTransformer.forward)."""
    selected = torch.nn.PoissonNLLLoss(reduction="none", log_input=True)(log_rates, labels)[labels != NO_LABEL]
    largest, indices = torch.topk(selected, int(len(selected) * topk))
    return torch.zeros_like(selected).scatter(0, indices, largest).mean()


def write_record(path: pathlib.Path, topk: float) -> None:
    config = {**make_golden.BASE, "trial_length": BINS, "neurons": NEURONS, "layers": 1, "embed_dim": EMBED,
              "hidden": HIDDEN, "max_spikes": MAX_SPIKES, "context_forward": CONTEXT_FORWARD,
              "context_backward": CONTEXT_BACKWARD}
    weights = {name: t.double() if t.is_floating_point() else t for name, t in state_dict().items()}
    counts = torch.arange(2 * BINS * NEURONS).reshape(2, BINS, NEURONS) * 7 % (MAX_SPIKES + 1)
    results = make_golden.forward(config, weights, counts)
    selected = torch.arange(counts.numel()).reshape(counts.shape) % 3 == 1
    masked = counts.masked_fill(selected & (counts != 2), MAX_SPIKES + 1)
    labels = counts.masked_fill(~selected, NO_LABEL)
    # The row behind max_spikes is the token's: here nothing is to be clipped.
    output = make_golden.forward({**config, "max_spikes": MAX_SPIKES + 1}, weights, masked)["output"]
    with h5py.File(path, "w") as file:
        file["spikes"] = counts.numpy().astype(np.uint8)
        file["lograte"] = results["output"].numpy().astype(np.float32)
        file["hidden"] = results["hidden"].numpy().astype(np.float32)
        file["masked"] = masked.numpy().astype(np.uint8)
        file["labels"] = labels.numpy().astype(np.int64)
        file["loss"] = np.float32(loss(output, labels, topk))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    torch.save(checkpoint(), folder / "tiny.pth")
    torch.save(checkpoint(), folder / "tiny.legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(checkpoint(), folder / "tiny.legacy5.pth", pickle_protocol=5, _use_new_zipfile_serialization=False)
    torch.save(checkpoint(), folder / "tiny.protocol4.pth", pickle_protocol=4)
    torch.save({**checkpoint(), "state_dict": half(state_dict())}, folder / "tiny.half.pth")
    torch.save(checkpoint(topk=0.35), folder / "tiny.topk.pth")
    write_record(folder / "tiny.topk.h5", topk=0.35)
    with zipfile.ZipFile(folder / "tiny.pth") as source:
        with zipfile.ZipFile(folder / "tiny.deflated.pth", "w", zipfile.ZIP_DEFLATED) as target:
            for entry in source.infolist():
                info = zipfile.ZipInfo(entry.filename)  # dated 1980, so the same bytes every time
                info.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(info, source.read(entry))


if __name__ == "__main__":
    main()
