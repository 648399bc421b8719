#!/usr/bin/env python3
"""Times the forward pass beside PyTorch's: same weights, same counts, same threads, float32, interleaved.

    python3 -m venv env && env/bin/pip install torch==2.13.0 numpy
    env/bin/python bench/compare/compare.py [--threads N] [--seconds S] [--shape NAME]... [--batch B]...

Peers live in a throw-away environment: neither the build nor the tests need them. Before any clock starts, every peer
must give our log rates to 1e-4. What is printed is the median time of each and its ratio to ours; times on a shared
machine mean nothing without the ratio.
"""

import argparse
import ctypes
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
from typing import Callable, Dict, List

SHAPES = {  # bins, neurons, layers, embed_dim: as in bench/shapes.hpp
    "maze700": (70, 202, 6, 0),
    "mc_maze": (180, 182, 4, 0),
    "chaotic": (100, 50, 6, 2),
    "lorenz": (50, 29, 6, 2),
    "fig5": (5, 50, 6, 2),
}
FEED_FORWARD, HEADS, TABLE_ROWS = 128, 2, 8


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each shape and batch, all peers together")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="default: all")
    parser.add_argument("--batch", action="append", type=int, help="default: 1 and 64")
    return parser.parse_args()


ARGUMENTS = parse()
os.environ["OMP_NUM_THREADS"] = str(ARGUMENTS.threads)  # before any library reads it

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

torch.set_num_threads(ARGUMENTS.threads)
torch.set_float32_matmul_precision("highest")


class Layer(nn.Module):
    """A pre-norm encoder layer over [B,T,D], with PyTorch's fused attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.linear1, self.linear2 = nn.Linear(width, FEED_FORWARD), nn.Linear(FEED_FORWARD, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, bins, width = x.shape
        projected = self.in_proj(self.norm1(x)).view(batch, bins, 3, HEADS, width // HEADS).transpose(1, 3)
        q, k, v = projected.unbind(2)  # each [B,H,T,d]
        context = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out_proj(context.transpose(1, 2).reshape(batch, bins, width))
        return x + self.linear2(functional.relu(self.linear1(self.norm2(x))))


class Model(nn.Module):
    """The Neural Data Transformer at full context: counts [B,T,N] to log rates [B,T,N]."""

    def __init__(self, bins: int, neurons: int, layers: int, embed_dim: int) -> None:
        super().__init__()
        width = neurons * max(embed_dim, 1)
        self.embedder = nn.Embedding(TABLE_ROWS, embed_dim) if embed_dim else None
        self.positions = nn.Parameter(torch.randn(bins, width))
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        self.norm, self.decoder = nn.LayerNorm(width), nn.Linear(width, neurons)
        self.scale = width**0.5

    def forward(self, counts: Tensor) -> Tensor:
        x = self.embedder(counts).flatten(-2) if self.embedder is not None else counts.float()
        x = x * self.scale + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.decoder(self.norm(x))

    def reference_names(self) -> Dict[str, Tensor]:
        """Our library's names for the weights: those of the reference's state_dict."""
        tensors = {}
        for name, tensor in self.state_dict().items():
            name = "transformer_encoder." + name if name.startswith(("layers.", "norm.")) else name
            name = name.replace(".in_proj.", ".self_attn.in_proj_").replace(".out_proj.", ".self_attn.out_proj.")
            name = name.replace("embedder.", "embedder.0.").replace("decoder.", "decoder.0.")
            tensors[name.replace("positions", "pos_encoder.pos_embedding.weight")] = tensor
        return tensors


def build_ours() -> ctypes.CDLL:
    """The library, compiled as a release build is."""
    here = pathlib.Path(__file__).resolve().parent
    output = pathlib.Path(tempfile.mkdtemp()) / "ours.so"
    flags = "-std=c++20 -O3 -DNDEBUG -march=native -ffp-contract=off -fno-math-errno -fopenmp -shared -fPIC".split()
    subprocess.run(["c++", *flags, f"-I{here.parent.parent / 'include'}", here / "ours.cpp", "-o", output], check=True)
    library = ctypes.CDLL(str(output))
    library.ndt_create.restype = ctypes.c_void_p
    return library


def ours(library: ctypes.CDLL, shape: str, model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """Our model of that shape with PyTorch's weights."""
    handle = ctypes.c_void_p(library.ndt_create(shape.encode()))
    for name, tensor in model.reference_names().items():
        values = tensor.detach().contiguous().numpy()
        library.ndt_tensor(handle, name.encode(), values.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(values.size))
    if library.ndt_bind(handle) != 0:
        raise SystemExit(f"{shape}: the weights do not fit our model")

    def forward(counts: np.ndarray) -> np.ndarray:
        log_rates = np.empty(counts.shape, np.float32)
        library.ndt_forward(handle, log_rates.ctypes.data_as(ctypes.c_void_p), counts.ctypes.data_as(ctypes.c_void_p),
                            ctypes.c_size_t(counts.shape[0]), ctypes.c_size_t(ARGUMENTS.threads))
        return log_rates

    return forward


def interleaved(calls: List[Callable[[], object]], seconds: float) -> List[List[float]]:
    """Times of each call in seconds: one of each in turn, so that a slow moment of the machine hits all alike."""
    times: List[List[float]] = [[] for _ in calls]
    for _ in range(3):
        for call in calls:
            call()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for call, spent in zip(calls, times):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
    return times


def compare(library: ctypes.CDLL, shape: str, batch: int) -> None:
    bins, neurons, layers, embed_dim = SHAPES[shape]
    torch.manual_seed(1)
    model = Model(bins, neurons, layers, embed_dim).eval()
    counts = (np.random.RandomState(2).rand(batch, bins, neurons) < 0.1).astype(np.int32)
    inputs = torch.from_numpy(counts)
    with torch.inference_mode():
        traced = torch.jit.optimize_for_inference(torch.jit.trace(model, inputs))
        forward = ours(library, shape, model)
        peers = {"ndt": lambda: forward(counts), "eager": lambda: model(inputs), "traced": lambda: traced(inputs)}
        expected = forward(counts)
        for name, call in peers.items():
            error = float(np.abs(np.asarray(call()) - expected).max())
            if not error <= 1e-4:
                raise SystemExit(f"{shape}, batch {batch}: {name} differs from ours by {error}")
        times = interleaved(list(peers.values()), ARGUMENTS.seconds)
    medians = [statistics.median(spent) * 1e6 for spent in times]
    columns = "".join(f"{micro:12.1f} us{micro / medians[0]:7.2f}x" for micro in medians)
    print(f"{shape:10}{batch:6}{columns}", flush=True)


def main() -> None:
    library = build_ours()
    print(f"torch {torch.__version__}, {ARGUMENTS.threads} thread(s), float32, median time and its ratio to ours")
    print(f"{'shape':10}{'batch':>6}{'ndt':>23}{'torch eager':>23}{'torch traced':>23}")
    for batch in ARGUMENTS.batch or [1, 64]:
        for shape in ARGUMENTS.shape or SHAPES:
            compare(library, shape, batch)


if __name__ == "__main__":
    main()
