#!/usr/bin/env python3
"""Times our library beside other engines: same weights, counts and threads, float32, one call of each in turn.

    python3 -m venv env && env/bin/pip install torch==2.13.0 numpy onnx onnxruntime openvino
    env/bin/python bench/compare/compare.py [--task forward|train]... [--shape NAME]... [--batch B]... [--peer NAME]...
        [--threads N] [--seconds S] [--json FILE] [--picture FILE]

Peers live in a throw-away environment: neither the build nor the tests need them. PyTorch, whose model is the measure
of all, must be there; another that is not installed is left out and named. Before any clock starts, every peer must give our log rates to 1e-4; in training, without dropout, the
loss and the gradient's norm of three steps to 1e-4 of themselves. What is printed: our median time, then for each peer
the median of its ratio to ours round by round (above 1: ours is faster), with the quartiles. Times on a shared machine
mean nothing without the ratio.
"""

import argparse
import ctypes
import importlib.metadata
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

import numpy as np
import torch

import ours
import training
from model import SHAPES, Model
from peers import PEERS, Case, Peer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import chart  # noqa: E402

TOLERANCE, TRAINING_BATCH, LEAST_ROUNDS = 1e-4, 64, 5
Calls = Dict[str, Callable[[], object]]  # by name, ours first
Row = Dict[str, Any]  # a line of results, as in the JSON file


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each shape and batch, all peers together")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="default: all")
    parser.add_argument("--batch", action="append", type=int, help="of the forward pass; default: 1 and 64")
    parser.add_argument("--peer", action="append", choices=[peer.name for peer in PEERS], help="default: all")
    parser.add_argument("--task", action="append", choices=["forward", "train"], help="default: both")
    parser.add_argument("--json", type=pathlib.Path, help="writes the numbers to this file")
    parser.add_argument("--picture", type=pathlib.Path, help="draws the ratios into this SVG file")
    return parser.parse_args()


def present(names: List[str]) -> List[Peer]:
    """Those of the peers that are installed. Says which are not, and what would help."""
    chosen = [peer for peer in PEERS if peer.name in names]
    for peer in chosen:
        if not peer.installed():
            print(f"left out: {peer.label}, which needs: pip install {peer.package} {peer.needs}".rstrip())
    return [peer for peer in chosen if peer.installed()]


def interleaved(calls: Calls, seconds: float) -> Dict[str, List[float]]:
    """Times of each call in seconds: one of each in turn, so that a slow moment of the machine hits all alike."""
    times: Dict[str, List[float]] = {name: [] for name in calls}
    for _ in range(2):
        for call in calls.values():
            call()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["ndt"]) < LEAST_ROUNDS:
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return times


def forward_calls(library: ctypes.CDLL, shape: str, batch: int, peers: List[Peer], threads: int,
                  folder: pathlib.Path) -> Calls:
    """The forward pass of each, all of them giving our log rates."""
    torch.manual_seed(1)
    bins, neurons = SHAPES[shape][:2]
    counts = (np.random.RandomState(2).rand(batch, bins, neurons) < training.SPIKE_CHANCE).astype(np.int32)
    case = Case(Model(shape).eval(), counts, threads, folder)
    calls: Calls = {"ndt": ours.forward(library, shape, case.model, counts, threads)}
    expected = np.array(calls["ndt"]())
    for peer in peers:
        calls[peer.name] = peer.prepare(case)
        error = float(np.abs(np.asarray(calls[peer.name]()) - expected).max())
        if not error <= TOLERANCE:
            raise SystemExit(f"{shape}, batch {batch}: {peer.label} differs from ours by {error}")
    return calls


def training_calls(library: ctypes.CDLL, shape: str, peers: List[Peer], threads: int) -> Calls:
    """The step of training of each."""
    torch.manual_seed(1)

    def create(dropout: bool) -> ours.Training:
        return ours.Training(library, shape, TRAINING_BATCH, threads, dropout)

    size = (TRAINING_BATCH, *SHAPES[shape][:2])
    calls: Calls = {"ndt": create(True).step}
    for peer in peers:
        if peer.name in training.MODES:
            calls[peer.name] = training.prepare(peer.name, create, shape, size)
    return calls


def summary(task: str, shape: str, batch: int, times: Dict[str, List[float]]) -> Row:
    """Medians in microseconds, and quartiles of the ratio to ours of each round."""
    engines = {}
    for name, spent in times.items():
        ratios = [theirs / own for theirs, own in zip(spent, times["ndt"])]
        quartile1, median, quartile3 = statistics.quantiles(ratios, n=4, method="inclusive")
        engines[name] = {"median_us": round(statistics.median(spent) * 1e6, 1), "ratio": round(median, 3),
                         "quartiles": [round(quartile1, 3), round(quartile3, 3)]}
    return {"task": task, "shape": shape, "batch": batch, "rounds": len(times["ndt"]), "engines": engines}


def print_row(row: Row) -> None:
    engines = dict(row["engines"])
    cells = [f"{engines.pop('ndt')['median_us']:12.1f} us"]
    cells += [f"{each['ratio']:8.2f} [{each['quartiles'][0]:.2f} {each['quartiles'][1]:.2f}]".ljust(22)
              for each in engines.values()]
    print(f"{row['shape']:8}{'train' if row['task'] == 'train' else 'batch':>6}{row['batch']:3}", *cells, flush=True)


def processor() -> str:
    """As lscpu calls it, where there is lscpu."""
    try:
        listed = subprocess.run(["lscpu"], env={"LC_ALL": "C"}, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in listed.splitlines() if line.startswith("Model name:")]
    return names[0] if names else platform.machine()


def draw(path: pathlib.Path, rows: List[Row], title: str) -> None:
    """A panel for each batch and for training, a group of bars for each shape, a bar for each peer."""
    panels: Dict[str, chart.Panel] = {}
    for task, batch in dict.fromkeys((row["task"], row["batch"]) for row in rows):
        shown = [row for row in rows if (row["task"], row["batch"]) == (task, batch)]
        series = {peer.label: [row["engines"][peer.name]["ratio"] for row in shown]
                  for peer in PEERS if peer.name in shown[0]["engines"]}
        name = f"Step of training, batch {batch}" if task == "train" else f"Forward pass, batch {batch}"
        panels[name] = ([row["shape"] for row in shown], series)
    chart.bar_panels(str(path), title, panels, "time of each over ours (above 1: ours is faster)", log=True, origin=1.0)


def measure(arguments: argparse.Namespace, peers: List[Peer], folder: pathlib.Path) -> List[Row]:
    library = ours.build(folder)
    rows: List[Row] = []

    def time_calls(task: str, shape: str, batch: int, calls: Calls) -> None:
        rows.append(summary(task, shape, batch, interleaved(calls, arguments.seconds)))
        print_row(rows[-1])

    tasks, shapes = arguments.task or ["forward", "train"], arguments.shape or list(SHAPES)
    if "forward" in tasks:
        for batch in arguments.batch or [1, 64]:
            for shape in shapes:
                with torch.inference_mode():
                    calls = forward_calls(library, shape, batch, peers, arguments.threads, folder)
                    time_calls("forward", shape, batch, calls)
    if "train" in tasks:
        for shape in shapes:
            time_calls("train", shape, TRAINING_BATCH, training_calls(library, shape, peers, arguments.threads))
    return rows


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.set_float32_matmul_precision("highest")
    peers = present(arguments.peer or [peer.name for peer in PEERS])
    versions = {package: importlib.metadata.version(package) for package in dict.fromkeys(p.package for p in peers)}
    machine = {"processor": processor(), "threads": arguments.threads, "versions": versions}
    print(f"{machine['processor']}, {arguments.threads} thread(s), float32;",
          ", ".join(f"{package} {version}" for package, version in versions.items()))
    print(f"{'':17} {'ndt':>15}", *(f"{peer.label:>14}".ljust(22) for peer in peers))
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(arguments, peers, pathlib.Path(folder))
    if arguments.json:
        arguments.json.write_text(json.dumps({**machine, "results": rows}, indent=1) + "\n")
    if arguments.picture:
        threads = "one thread" if arguments.threads == 1 else f"{arguments.threads} threads"
        draw(arguments.picture, rows, f"Other engines beside ndt: {threads}, float32, {machine['processor']}")


if __name__ == "__main__":
    main()
