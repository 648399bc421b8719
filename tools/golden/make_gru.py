#!/usr/bin/env python3
"""The golden file of the example layer: torch.nn.GRU in float64, its output and its gradients.

    python3 tools/golden/make_gru.py tests/golden/train

Writes gru.golden in the format of make_golden.py: `input` [B,T,I], the four parameters under PyTorch's names, `output`
[B,T,H], and `grad/NAME` of sum(output * weights) for all of them and for the input; `weights` [B,T,H]. Needs PyTorch
and NumPy.
"""

import argparse
import pathlib

import torch

import make_golden

TRIALS, BINS, INPUTS, UNITS = 3, 13, 7, 21


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("outdir", type=pathlib.Path)
    outdir = parser.parse_args().outdir
    torch.manual_seed(3)
    layer = torch.nn.GRU(INPUTS, UNITS, batch_first=True).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.mul_(3.0)  # gates that open and close
    x = torch.randn(TRIALS, BINS, INPUTS, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(TRIALS, BINS, UNITS, dtype=torch.float64)
    output, _ = layer(x)
    (output * weights).sum().backward()
    named = dict(layer.named_parameters()) | {"input": x}
    tensors = {k: v.detach().numpy() for k, v in named.items()}
    tensors |= {"grad/" + k: v.grad.numpy() for k, v in named.items()}
    tensors |= {"output": output.detach().numpy(), "weights": weights.numpy()}
    (outdir / "gru.golden").write_bytes(make_golden.encode({}, tensors))


if __name__ == "__main__":
    main()
