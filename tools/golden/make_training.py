#!/usr/bin/env python3
"""Golden files of training: gradients for every switch, and one hundred steps of the optimiser.

    python3 tools/golden/make_training.py tests/golden/train

The models, their weights and counts are the cases of make_golden.py; gradients come from PyTorch's autograd in float64.
Some of the counts are labels: the loss is their mean Poisson loss. A gradient is kept as two numbers a tensor, its
product with a fixed pattern and its sum of squares. Tensors are in the order of their names. Needs PyTorch and NumPy.

gradients.golden, for every case NAME:

    NAME/labels     i64 [B,T,N]    -100 where there is none
    NAME/loss       f64 [1]
    NAME/gradient   f64 [K,2]

steps.golden, for some of them, with clipping and weight decay, batch s % S in step s:

    settings        f64 [4]        learning rate, weight decay, epsilon, largest norm
    NAME/inputs, NAME/labels       i64 [S,B,T,N]
    NAME/READING/losses            f64 [100]    READING: torch or reference (make_optimizer.py)
    NAME/READING/weights           f64 [P]      after the last step, all trained tensors one after the other
"""

import argparse
import math
import pathlib
import zlib

import numpy as np
import torch

import make_golden

STEPS, BATCHES, TRIALS = 100, 5, 9
RATE, DECAY, EPSILON, MAX_NORM = 2e-3, 0.05, 1e-8, 0.5
STEP_CASES = ("base", "post_norm_gelu", "embed0", "many_switches")
NO_LABEL = -100


def trained(weights):
    return {k: v.requires_grad_() for k, v in weights.items() if v.dtype.is_floating_point and k != "pos_encoder.pe"}


def loss_of(c, weights, inputs, labels):
    output = make_golden.forward(c, weights, torch.tensor(inputs))["output"]
    target = torch.tensor(np.maximum(labels, 0)).to(output.dtype)
    loss = torch.exp(output) - target * output if c["lograte"] else output - target * torch.log(output + 1e-8)
    return loss[torch.tensor(labels != NO_LABEL)].mean()


def digest(tensors):
    """f64 [K,2]"""
    rows = []
    for name in sorted(tensors):
        flat = tensors[name].detach().numpy().ravel()
        pattern = np.cos(0.7 * np.arange(flat.size) + 1.0)
        rows.append([float(flat @ pattern), float(flat @ flat)])
    return np.array(rows)


def draw_labels(random, counts):
    labels = np.where(random.uniform(size=counts.shape) < 0.3, np.minimum(counts, 4), NO_LABEL)
    labels.flat[0] = min(counts.flat[0], 4)  # never none
    return labels.astype(np.int64)


def gradients_of(name):
    c, tensors = make_golden.make_case(name)
    random = np.random.RandomState(zlib.crc32(b"labels " + name.encode()))
    labels = draw_labels(random, tensors["counts"])
    weights = make_golden.to_torch({k: v for k, v in tensors.items() if "." in k})
    parameters = trained(weights)
    loss = loss_of(c, weights, tensors["counts"], labels)
    loss.backward()
    gradients = {k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in parameters.items()}
    return {f"{name}/labels": labels, f"{name}/loss": np.array([float(loss.detach())]), f"{name}/gradient": digest(gradients)}


class ReferenceAdamW:
    """As pytorch_transformers 1.2.0: epsilon beside the uncorrected root, decay taken from the new weights."""

    def __init__(self, parameters):
        self.parameters, self.step_count = parameters, 0
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    @torch.no_grad()
    def step(self):
        self.step_count += 1
        size = RATE * math.sqrt(1 - 0.999 ** self.step_count) / (1 - 0.9 ** self.step_count)
        for p, (mean, square) in zip(self.parameters, self.moments):
            mean.mul_(0.9).add_(0.1 * p.grad)
            square.mul_(0.999).add_(0.001 * p.grad * p.grad)
            p.sub_(size * mean / (square.sqrt() + EPSILON))
            p.sub_(RATE * DECAY * p)


def steps_of(name, reading, inputs, labels):
    c, tensors = make_golden.make_case(name)
    weights = make_golden.to_torch({k: v for k, v in tensors.items() if "." in k})
    parameters = trained(weights)
    listed = list(parameters.values())
    if reading == "torch":
        optimizer = torch.optim.AdamW(listed, lr=RATE, eps=EPSILON, weight_decay=DECAY)
    else:
        optimizer = ReferenceAdamW(listed)
    losses = []
    for step in range(STEPS):
        for p in listed:
            p.grad = torch.zeros_like(p)
        loss = loss_of(c, weights, inputs[step % BATCHES], labels[step % BATCHES])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(listed, MAX_NORM)
        optimizer.step()
        losses.append(float(loss.detach()))
    weights = np.concatenate([parameters[k].detach().numpy().ravel() for k in sorted(parameters)])
    return {f"{name}/{reading}/losses": np.array(losses), f"{name}/{reading}/weights": weights}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("outdir", type=pathlib.Path)
    outdir = parser.parse_args().outdir
    torch.set_num_threads(1)
    outdir.mkdir(parents=True, exist_ok=True)
    gradients = {}
    for name in make_golden.CASES:
        gradients |= gradients_of(name)
    (outdir / "gradients.golden").write_bytes(make_golden.encode({}, gradients))

    steps = {"settings": np.array([RATE, DECAY, EPSILON, MAX_NORM])}
    for name in STEP_CASES:
        c = {**make_golden.BASE, **make_golden.CASES[name]}
        random = np.random.RandomState(zlib.crc32(b"steps " + name.encode()))
        counts = random.poisson(0.8, (BATCHES, TRIALS, c["trial_length"], c["neurons"])).astype(np.int64)
        labels = draw_labels(random, counts)
        inputs = np.where(labels != NO_LABEL, 0, counts)
        steps |= {f"{name}/inputs": inputs, f"{name}/labels": labels}
        for reading in ("torch", "reference"):
            steps |= steps_of(name, reading, inputs, labels)
    (outdir / "steps.golden").write_bytes(make_golden.encode({}, steps))


if __name__ == "__main__":
    main()
