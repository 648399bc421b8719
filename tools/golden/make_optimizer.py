#!/usr/bin/env python3
"""The golden file of the optimiser: what one hundred steps make of a small vector.

    python3 tools/golden/make_optimizer.py tests/golden/train

Writes optimizer.golden in the format of make_golden.py. `torch` is torch.optim.AdamW; `reference` is written out below
as pytorch_transformers 1.2.0 defines it, the optimiser of the reference. Both clip with torch.nn.utils.clip_grad_norm_,
and both schedules of the learning rate are those that the reference uses. Needs PyTorch and NumPy.

    weights     f64 [N]        at the start
    gradients   f64 [S,N]      of each step, unclipped, over six orders of magnitude, some exactly zero
    rates       f64 [S]        learning rates
    settings    f64 [4]        weight decay, epsilon, largest norm, initial rate of the schedules
    clipped     f64 [S]        norm of the clipped gradients
    torch, torch_plain, reference, reference_plain
                f64 [S,N]      weights after each step; plain: without decay
    cosine      f64 [3,C]      factor of the learning rate at updates 0 ... C-1 for warm-ups 0, 1 and 7 of 40 updates
    invsqrt     f64 [2,C]      what the reference multiplies the initial rate 3e-3 with, for warm-ups 1 and 7
"""

import argparse
import math
import pathlib

import numpy as np
import torch

import make_golden

STEPS, COUNT, UPDATES = 100, 19, 60
DECAY, EPSILON, MAX_NORM, INITIAL = 0.02, 1e-6, 5.0, 3e-3


def clip(gradient: np.ndarray) -> torch.Tensor:
    parameter = torch.nn.Parameter(torch.zeros(COUNT, dtype=torch.float64))
    parameter.grad = torch.tensor(gradient)
    torch.nn.utils.clip_grad_norm_([parameter], MAX_NORM)
    return parameter.grad


def follow_torch(weights: np.ndarray, gradients: np.ndarray, rates: np.ndarray, decay: float) -> np.ndarray:
    """[S,N]"""
    parameter = torch.nn.Parameter(torch.tensor(weights))
    optimizer = torch.optim.AdamW([parameter], lr=1.0, eps=EPSILON, weight_decay=decay)
    path = []
    for gradient, rate in zip(gradients, rates):
        optimizer.param_groups[0]["lr"] = float(rate)
        parameter.grad = clip(gradient)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return np.stack(path)


def follow_reference(weights: np.ndarray, gradients: np.ndarray, rates: np.ndarray, decay: float) -> np.ndarray:
    """[S,N]: the second moment is not corrected under epsilon, and the decay takes from the new weights"""
    w, mean, square = weights.copy(), np.zeros(COUNT), np.zeros(COUNT)
    path = []
    for step, (gradient, rate) in enumerate(zip(gradients, rates), 1):
        g = clip(gradient).numpy()
        mean = 0.9 * mean + 0.1 * g
        square = 0.999 * square + 0.001 * g * g
        size = rate * math.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step)
        w = w - size * mean / (np.sqrt(square) + EPSILON)
        w = w - rate * decay * w
        path.append(w.copy())
    return np.stack(path)


def cosine(update: int, warmup: int, updates: int) -> float:
    if update < warmup:
        return update / max(1, warmup)
    return max(0.0, 0.5 * (1 + math.cos(math.pi * (update - warmup) / max(1, updates - warmup))))


def invsqrt(update: int, warmup: int, highest: float, lowest: float = 1e-8) -> float:
    """An absolute rate; the reference takes it for a factor."""
    if update < warmup:
        return lowest + update * (highest - lowest) / warmup
    return highest * math.sqrt(warmup) / math.sqrt(update)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("outdir", type=pathlib.Path, help="where to write optimizer.golden")
    outdir = parser.parse_args().outdir
    random = np.random.RandomState(7)
    weights = random.standard_normal(COUNT)
    gradients = random.standard_normal((STEPS, COUNT)) * 10.0 ** random.uniform(-6, 0, COUNT)
    gradients[random.uniform(size=gradients.shape) < 0.1] = 0.0
    gradients[:, 3] = 0.0  # a parameter that no loss sees
    gradients[10:20] *= 30.0  # clipped
    rates = INITIAL * np.array([cosine(s, 7, STEPS) for s in range(1, STEPS + 1)])
    tensors = {
        "weights": weights,
        "gradients": gradients,
        "rates": rates,
        "settings": np.array([DECAY, EPSILON, MAX_NORM, INITIAL]),
        "clipped": np.array([float(clip(g).norm()) for g in gradients]),
        "torch": follow_torch(weights, gradients, rates, DECAY),
        "torch_plain": follow_torch(weights, gradients, rates, 0.0),
        "reference": follow_reference(weights, gradients, rates, DECAY),
        "reference_plain": follow_reference(weights, gradients, rates, 0.0),
        "cosine": np.array([[cosine(u, w, 40) for u in range(UPDATES)] for w in (0, 1, 7)]),
        "invsqrt": np.array([[invsqrt(u, w, INITIAL) for u in range(UPDATES)] for w in (1, 7)]),
    }
    outdir.mkdir(parents=True, exist_ok=True)
    (outdir / "optimizer.golden").write_bytes(make_golden.encode({}, tensors))


if __name__ == "__main__":
    main()
