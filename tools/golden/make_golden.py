#!/usr/bin/env python3
"""Golden files: small random Neural Data Transformers with what each of them must compute.

    python3 tools/golden/make_golden.py tests/golden

One file NAME.golden for every entry of CASES. A case draws its own weights (seeded by its name), rounds them to
float32, and computes the outputs from these float32 weights in float64. `forward` below is written to be read as the
definition of the model. Needs PyTorch and NumPy. Neither the build nor the tests run this script: they read the files.

File format, text lines and then raw little-endian bytes:

    ndt-golden 1
    config KEY VALUE                     the keys of BASE that are not in NOT_IN_FILE; integers, switches are 0 or 1
    tensor NAME DTYPE RANK DIM... OFFSET DTYPE f32, f64 or i64; row-major; OFFSET in bytes from the first byte after
                                         the line `data`, a multiple of 8
    data

Letters: B trials, T bins, P trial length (rows of the position table), N neurons, D width, L layers, F feed-forward.
Weights carry their PyTorch state_dict names (f32; the index tensor of learned positions is i64). Besides them:

    counts     i64 [B,T,N]    spike counts as recorded, some above max_spikes
    output     f64 [B,T,N]    log rates per bin, or rates where lograte is 0
    hidden     f64 [B,T,D]    after the final norm, what the decoder reads
    layers     f64 [B,L,T,D]  the output of each layer, before the final norm
    attention  f64 [B,L,T,T]  softmax weights [target, key], mean over heads, exactly 0 outside the context
"""

import argparse
import math
import pathlib
import zlib
from typing import Any, Dict, Tuple

import numpy as np
import torch
from torch import Tensor

Config = Dict[str, int]
Arrays = Dict[str, np.ndarray]
Weights = Dict[str, Tensor]

LAYER_NORM_EPS = 1e-5
SCALE_NORM_MIN_LENGTH = 1e-5
DECODER_WIDTH = 16  # hidden units of the two-layer decoder
LAYERS_PREFIX = "transformer_encoder.layers"

BASE: Config = {
    "trial_length": 11,        # rows of the position table
    "bins": 0,                 # bins of an input; 0: trial_length
    "trials": 2,
    "neurons": 7,
    "layers": 2,
    "heads": 2,
    "embed_dim": 2,            # values per neuron; 0: the counts themselves
    "hidden": 10,              # feed-forward width
    "max_spikes": 4,           # larger counts are clipped to this
    "linear_embedder": 0,
    "learned_position": 1,
    "quiet_input": 0,          # embeddings and positions 100 times smaller: the epsilon of the first norm shows
    "shuffled_positions": 0,   # the stored indices of learned positions are a permutation
    "position_offset": 1,      # sinusoids start at position 1
    "pre_norm": 1,
    "scale_norm": 0,           # the final norm has one learned scale
    "gelu": 0,
    "context_forward": 2,      # < 0: unlimited
    "context_backward": 3,     # <= 0: unlimited
    "full_context": 0,
    "context_wrap_initial": 0,
    "decoder_layers": 1,
    "lograte": 1,
}
NOT_IN_FILE = ("bins", "trials", "quiet_input", "shuffled_positions")  # the tensors show them

CASES: Dict[str, Config] = {
    "base": {},
    # Embedders.
    "embed0": dict(embed_dim=0, heads=1),
    "embed0_heads3": dict(embed_dim=0, neurons=12, heads=3),
    "embed1": dict(embed_dim=1, heads=1),
    "embed3": dict(embed_dim=3, heads=3),
    "embed_linear": dict(embed_dim=0, linear_embedder=1, heads=1),
    "embed_linear_wide": dict(embed_dim=2, linear_embedder=1),
    # Positions.
    "positions_learned_short_input": dict(bins=8),
    "positions_learned_stored_indices": dict(shuffled_positions=1),
    "positions_sinusoidal_offset": dict(learned_position=0),
    "positions_sinusoidal_no_offset": dict(learned_position=0, position_offset=0),
    "positions_sinusoidal_short_input": dict(learned_position=0, bins=8),
    # Norms and activations; base is pre-norm with ReLU.
    "post_norm_relu": dict(pre_norm=0),
    "post_norm_gelu": dict(pre_norm=0, gelu=1),
    "pre_norm_gelu": dict(gelu=1),
    "scale_norm_pre_norm": dict(scale_norm=1),
    "scale_norm_post_norm": dict(scale_norm=1, pre_norm=0),
    "norm_epsilon": dict(quiet_input=1),
    # Context.
    "context_full": dict(full_context=1),
    "context_causal_backward3": dict(context_forward=0),
    "context_causal_backward1": dict(context_forward=0, context_backward=1),
    "context_causal_backward_unlimited": dict(context_forward=0, context_backward=0),
    "context_forward_unlimited_backward2": dict(context_forward=-1, context_backward=2),
    "context_backward_beyond_input": dict(context_backward=20),
    "context_forward_beyond_input": dict(context_forward=20),
    "context_wrap_backward4_causal": dict(context_wrap_initial=1, context_backward=4, context_forward=0),
    "context_wrap_backward4_forward2": dict(context_wrap_initial=1, context_backward=4),
    "context_wrap_backward_beyond_input": dict(context_wrap_initial=1, context_backward=13, context_forward=0),
    # Decoders.
    "decoder2": dict(decoder_layers=2),
    "rates_decoder1": dict(lograte=0),
    "rates_decoder2": dict(lograte=0, decoder_layers=2),
    # Shapes.
    "layers1": dict(layers=1),
    "layers4": dict(layers=4),
    "heads1": dict(heads=1),
    "heads7": dict(heads=7),
    "head_width3": dict(neurons=9, embed_dim=1, heads=3),
    "head_width5": dict(neurons=10, embed_dim=1, heads=2),
    "width19_bins23": dict(neurons=19, embed_dim=1, heads=1, hidden=37, trial_length=23),
    "width34_bins37": dict(neurons=34, embed_dim=1, hidden=40, trial_length=37, context_forward=4, context_backward=8),
    "one_bin": dict(trial_length=1),
    "one_bin_of_eleven": dict(bins=1),
    # The model of the embedded example.
    "tiny": dict(neurons=4, layers=1, hidden=8, trial_length=20, trials=1, context_forward=0, context_backward=0),
    # Far from base in many switches together.
    "many_switches": dict(embed_dim=1, neurons=12, heads=3, layers=3, learned_position=0, position_offset=0, pre_norm=0,
                          scale_norm=1, gelu=1, context_forward=-1, context_backward=5, decoder_layers=2, lograte=0),
}


# The model.

def width(c: Config) -> int:
    """D, the width of the encoder."""
    return c["neurons"] * max(c["embed_dim"], 1)


def linear(x: Tensor, w: Weights, name: str) -> Tensor:
    """[..., in] -> [..., out]"""
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def layer_norm(x: Tensor, w: Weights, name: str) -> Tensor:
    """[..., D] -> [..., D], with the biased variance"""
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred * centred).mean(-1, keepdim=True)
    return centred / torch.sqrt(variance + LAYER_NORM_EPS) * w[name + ".weight"] + w[name + ".bias"]


def scale_norm(x: Tensor, scale: Tensor) -> Tensor:
    """[..., D] -> [..., D], every row of length `scale`"""
    length = torch.sqrt((x * x).sum(-1, keepdim=True))
    return x * (scale / length.clamp(min=SCALE_NORM_MIN_LENGTH))


def activation(c: Config, x: Tensor) -> Tensor:
    """ReLU, or GELU in its exact form"""
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2))) if c["gelu"] else x.clamp(min=0)


def context(c: Config, bins: int) -> Tensor:
    """bool [T,T]: whether the target bin (row) sees the key bin (column)"""
    if c["full_context"]:
        return torch.ones(bins, bins, dtype=torch.bool)
    target = torch.arange(bins)[:, None]
    key = torch.arange(bins)[None, :]
    forward = bins if c["context_forward"] < 0 else c["context_forward"]
    backward = bins if c["context_backward"] <= 0 else c["context_backward"]
    visible = (key >= target - backward) & (key <= target + forward)
    if c["context_wrap_initial"] and c["context_backward"] > 0:
        visible |= (target < backward) & (key < backward)  # the first bins see each other
    return visible


def embed(c: Config, w: Weights, counts: Tensor) -> Tensor:
    """counts i64 [B,T,N] -> [B,T,D], feature index = neuron * embed_dim + e"""
    dtype = w["decoder.0.weight"].dtype
    counts = counts.clamp(max=c["max_spikes"])
    if c["linear_embedder"]:
        return linear(counts.to(dtype), w, "embedder")
    if c["embed_dim"] == 0:
        return counts.to(dtype)
    return w["embedder.0.weight"][counts].flatten(-2)


def positions(c: Config, w: Weights, bins: int) -> Tensor:
    """[T,D], the first rows of the stored table"""
    stored = w["pos_encoder.pe"][:bins, 0]
    return w["pos_encoder.pos_embedding.weight"][stored] if c["learned_position"] else stored


def attend(c: Config, w: Weights, name: str, x: Tensor, visible: Tensor) -> Tuple[Tensor, Tensor]:
    """x [B,T,D] -> attended [B,T,D], weights [B,T,T] (mean over heads)"""
    rows = x @ w[name + ".in_proj_weight"].T + w[name + ".in_proj_bias"]
    q, k, v = rows.chunk(3, dim=-1)
    head_width = width(c) // c["heads"]
    outputs, weights = [], []
    for head in range(c["heads"]):
        columns = slice(head * head_width, (head + 1) * head_width)
        scores = q[..., columns] @ k[..., columns].transpose(-1, -2) / math.sqrt(head_width)
        probability = torch.softmax(scores.masked_fill(~visible, -math.inf), dim=-1)
        outputs.append(probability @ v[..., columns])
        weights.append(probability)
    return linear(torch.cat(outputs, dim=-1), w, name + ".out_proj"), torch.stack(weights).mean(0)


def feed_forward(c: Config, w: Weights, layer: str, x: Tensor) -> Tensor:
    """[B,T,D] -> [B,T,D]"""
    return linear(activation(c, linear(x, w, layer + ".linear1")), w, layer + ".linear2")


def encoder_layer(c: Config, w: Weights, layer: str, x: Tensor, visible: Tensor) -> Tuple[Tensor, Tensor]:
    """x [B,T,D] -> [B,T,D], attention weights [B,T,T]"""
    if c["pre_norm"]:
        attended, weights = attend(c, w, layer + ".self_attn", layer_norm(x, w, layer + ".norm1"), visible)
        x = x + attended
        x = x + feed_forward(c, w, layer, layer_norm(x, w, layer + ".norm2"))
    else:
        attended, weights = attend(c, w, layer + ".self_attn", x, visible)
        x = layer_norm(x + attended, w, layer + ".norm1")
        x = layer_norm(x + feed_forward(c, w, layer, x), w, layer + ".norm2")
    return x, weights


def decode(c: Config, w: Weights, hidden: Tensor) -> Tensor:
    """[B,T,D] -> [B,T,N]"""
    output = linear(hidden, w, "decoder.0")
    if c["decoder_layers"] == 2:
        output = linear(output.clamp(min=0), w, "decoder.2")
    return output if c["lograte"] else output.clamp(min=0)


def forward(c: Config, w: Weights, counts: Tensor) -> Dict[str, Tensor]:
    """counts i64 [B,T,N] -> output [B,T,N], hidden [B,T,D], layers [B,L,T,D], attention [B,L,T,T]"""
    bins = counts.shape[1]
    visible = context(c, bins)
    x = embed(c, w, counts) * math.sqrt(width(c)) + positions(c, w, bins)
    layers, attention = [], []
    for i in range(c["layers"]):
        x, weights = encoder_layer(c, w, f"{LAYERS_PREFIX}.{i}", x, visible)
        layers.append(x)
        attention.append(weights)
    if c["scale_norm"]:
        hidden = scale_norm(x, w["transformer_encoder.norm.scale"])
    else:
        hidden = layer_norm(x, w, "transformer_encoder.norm")
    return {
        "output": decode(c, w, hidden),
        "hidden": hidden,
        "layers": torch.stack(layers, dim=1),
        "attention": torch.stack(attention, dim=1),
    }


# Its random weights and inputs.

def sinusoids(c: Config) -> np.ndarray:
    """[P,1,D]: sines in the even columns, cosines in the odd ones"""
    d = width(c)
    position = np.arange(c["trial_length"])[:, None] + (1 if c["position_offset"] else 0)
    angle = position * np.exp(np.arange(0, d, 2) * (-math.log(10000.0) / d))
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(-1, 1, d)


def draw_weights(c: Config, random: np.random.RandomState) -> Arrays:
    """state_dict name -> array; large enough that every part of the model shows in the output"""
    d, n, f = width(c), c["neurons"], c["hidden"]
    loudness = 0.01 if c["quiet_input"] else 1.0
    w: Arrays = {}

    def add(name: str, value: Any) -> None:
        w[name] = np.asarray(value, dtype=np.float32)

    def add_linear(weight: str, bias: str, rows: int, columns: int) -> None:
        add(weight, random.standard_normal((rows, columns)) / math.sqrt(columns))
        add(bias, 0.3 * random.standard_normal(rows))

    def add_norm(name: str) -> None:
        add(name + ".weight", 1 + 0.2 * random.standard_normal(d))
        add(name + ".bias", 0.2 * random.standard_normal(d))

    if c["linear_embedder"]:
        add_linear("embedder.weight", "embedder.bias", d, n)
    elif c["embed_dim"] > 0:
        add("embedder.0.weight", loudness * random.uniform(-0.5, 0.5, (c["max_spikes"] + 2, c["embed_dim"])))
    if c["learned_position"]:
        index = np.arange(c["trial_length"])
        if c["shuffled_positions"]:
            index = random.permutation(index)
        w["pos_encoder.pe"] = index[:, None].astype(np.int64)
        add("pos_encoder.pos_embedding.weight", loudness * random.standard_normal((c["trial_length"], d)))
    else:
        add("pos_encoder.pe", sinusoids(c))
    for i in range(c["layers"]):
        layer = f"{LAYERS_PREFIX}.{i}"
        attention = layer + ".self_attn"
        add_linear(attention + ".in_proj_weight", attention + ".in_proj_bias", 3 * d, d)
        add_linear(attention + ".out_proj.weight", attention + ".out_proj.bias", d, d)
        add_linear(layer + ".linear1.weight", layer + ".linear1.bias", f, d)
        add_linear(layer + ".linear2.weight", layer + ".linear2.bias", d, f)
        add_norm(layer + ".norm1")
        add_norm(layer + ".norm2")
    if c["scale_norm"]:
        add("transformer_encoder.norm.scale", math.sqrt(d) * (1 + 0.1 * random.standard_normal()))
    else:
        add_norm("transformer_encoder.norm")
    sizes = [d, n] if c["decoder_layers"] == 1 else [d, DECODER_WIDTH, n]
    for i, (columns, rows) in enumerate(zip(sizes, sizes[1:])):
        add_linear(f"decoder.{2 * i}.weight", f"decoder.{2 * i}.bias", rows, columns)
    return w


def draw_counts(c: Config, random: np.random.RandomState) -> np.ndarray:
    """i64 [B,T,N]: every trial has a zero, a count of max_spikes, one just above it and one far above it"""
    bins = c["bins"] or c["trial_length"]
    counts = random.poisson(0.8, (c["trials"], bins * c["neurons"])).astype(np.int64)
    for trial in counts:
        chosen = random.permutation(trial.size)[:4]
        trial[chosen] = [0, c["max_spikes"], c["max_spikes"] + 1, 10 * c["max_spikes"]]
    return counts.reshape(c["trials"], bins, c["neurons"])


def to_torch(arrays: Arrays, dtype: torch.dtype = torch.float64) -> Weights:
    """Copies, with every floating type made `dtype`."""
    return {k: torch.tensor(v, dtype=dtype if v.dtype.kind == "f" else None) for k, v in arrays.items()}


def make_case(name: str) -> Tuple[Config, Arrays]:
    """The complete config and every tensor of the case."""
    c = {**BASE, **CASES[name]}
    random = np.random.RandomState(zlib.crc32(name.encode()))
    weights = draw_weights(c, random)
    counts = draw_counts(c, random)
    with torch.no_grad():
        results = forward(c, to_torch(weights), torch.tensor(counts))
    return c, {**weights, "counts": counts, **{k: v.numpy() for k, v in results.items()}}


# The file.

DTYPES = {"float32": ("f32", "<f4"), "float64": ("f64", "<f8"), "int64": ("i64", "<i8")}


def encode(c: Config, tensors: Arrays) -> bytes:
    """The bytes of a golden file."""
    lines = ["ndt-golden 1"]
    lines += [f"config {key} {value}" for key, value in c.items() if key not in NOT_IN_FILE]
    data = bytearray()
    for name, tensor in tensors.items():
        dtype, layout = DTYPES[tensor.dtype.name]
        data += bytes(-len(data) % 8)
        lines.append(" ".join(["tensor", name, dtype, *map(str, (tensor.ndim, *tensor.shape, len(data)))]))
        data += tensor.astype(layout).tobytes()
    return ("\n".join(lines) + "\ndata\n").encode("ascii") + bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("outdir", type=pathlib.Path, help="where to write the NAME.golden files")
    outdir = parser.parse_args().outdir
    torch.set_num_threads(1)  # one order of summation
    outdir.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        content = encode(*make_case(name))
        (outdir / f"{name}.golden").write_bytes(content)
        print(f"{name:40} {len(content):7} bytes")


if __name__ == "__main__":
    main()
