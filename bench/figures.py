#!/usr/bin/env python3
"""Tables (markdown, to standard output) and pictures of the comparison with a recurrent network and of how cost grows.

    build/bench/ndt_bench --benchmark_filter='^(recurrent|scaling)' --benchmark_repetitions=5 \\
      --benchmark_enable_random_interleaving=true --benchmark_out=figures.json --benchmark_out_format=json
    bench/figures.py figures.json [MORE.json ...]

Of a benchmark that ran several times, that run counts whose median call was fastest, and the least p99 of all: what
neighbours on the machine do to a run makes it slower.
"""

import argparse
import collections
import json
import math
import pathlib
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import chart

Counters = Dict[str, float]
Results = Dict[str, Counters]

PICTURES = pathlib.Path(__file__).resolve().parent / "pictures"
BINS = (5, 10, 20, 50, 100)
LAYERS = (1, 2, 6)
SIZES = {  # as in bench_recurrent.cpp: the picture's file, the table's heading
    "chaotic": ("figure5.svg", "Chaotic size: 50 neurons; LFADS 64 + 64 units, generator 64, 40 factors; "
                               "NDT of width 100"),
    "maze700": ("figure5_maze700.svg", "maze700 size: 202 neurons; LFADS 200 + 200 units, generator 200, 40 factors; "
                                       "NDT of width 202"),
}


def load(paths: Sequence[str]) -> Results:
    """The counters of every benchmark by name, of its run with the least p50_us, and the least p99_us."""
    runs: Dict[str, List[Counters]] = collections.defaultdict(list)
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for entry in json.load(file)["benchmarks"]:
                if entry["run_type"] == "iteration" and "p50_us" in entry:
                    counters = {name: float(value) for name, value in entry.items() if isinstance(value, (int, float))}
                    runs[entry["run_name"]].append(counters)
    fastest = {name: min(of_name, key=lambda run: run["p50_us"]) for name, of_name in runs.items()}
    return {name: {**fastest[name], "p99_us": min(run.get("p99_us", math.inf) for run in of_name)}
            for name, of_name in runs.items()}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head_line, *lines = ("| " + " | ".join(cells) + " |" for cells in (head, *rows))
    return "\n".join([head_line, "|" + "---|" * len(head), *lines]) + "\n"


def lfads(size: str, bins: int) -> str:
    return f"recurrent/lfads/{size}/bins:{bins}/threads:1"


def ndt(size: str, layers: int, bins: int, step: str = "") -> str:
    return f"recurrent/ndt/{size}/layers:{layers}/bins:{bins}{step}/threads:1"


def gru(size: str) -> str:
    return f"recurrent/gru/{size}/step/threads:1"


def latency(counters: Optional[Counters]) -> str:
    """p50, p99 and the floor; a dash for what was not measured."""
    if counters is None:
        return chart.short(None)
    p50, p99, floor = (chart.short(counters[name]) for name in ("p50_us", "p99_us", "floor_us"))
    return f"{p50}, {p99} ({floor})"


Column = Tuple[str, Callable[[int], str]]  # a heading, and the benchmark for a number of bins


def by_bins(results: Results, columns: Sequence[Column]) -> str:
    """A row for each length of window, with the column that is fastest at the median."""
    rows = []
    for bins in BINS:
        of_row = {heading: results.get(name(bins)) for heading, name in columns}
        p50 = {heading: counters["p50_us"] for heading, counters in of_row.items() if counters is not None}
        rows.append([str(bins), *map(latency, of_row.values()), min(p50, key=lambda each: p50[each]) if p50 else ""])
    return table(["bins", *(heading for heading, _ in columns), "fastest"], rows)


def ndt_columns(size: str, step: str = "") -> List[Column]:
    def column(layers: int) -> Column:
        return f"NDT, {layers} layer{'s' if layers > 1 else ''}", lambda bins: ndt(size, layers, bins, step)

    return [column(layers) for layers in LAYERS]


def window_columns(size: str) -> List[Column]:
    return [("LFADS", lambda bins: lfads(size, bins)), *ndt_columns(size)]


def step_columns(size: str) -> List[Column]:
    return [("LFADS, its window again", lambda bins: lfads(size, bins)), *ndt_columns(size, "/step"),
            ("GRU, forward alone", lambda bins: gru(size))]


def curve(results: Results, name: Callable[[int], str]) -> List[Tuple[float, float]]:
    return [(float(bins), results[name(bins)]["p50_us"]) for bins in BINS if name(bins) in results]


def recurrent(results: Results) -> None:
    """The comparison: two tables and a picture for each size."""
    for size, (file, heading) in SIZES.items():
        if lfads(size, BINS[0]) not in results:
            continue
        print(f"{heading}.\n\nA window, us: p50, p99 (floor)\n\n{by_bins(results, window_columns(size))}")
        print(f"One new bin, us: p50, p99 (floor)\n\n{by_bins(results, step_columns(size))}")
        names = {"LFADS, window and new bin": window_columns(size)[0][1]}
        names.update({f"{column}, window": name for column, name in window_columns(size)[1:]})
        names.update({f"{column}, new bin": name for column, name in step_columns(size)[1:]})
        chart.lines(str(PICTURES / file), f"LFADS and NDT on one core, {size} size", "bins", "median time, us",
                    {each: curve(results, name) for each, name in names.items()}, log=True)


def sizes_of(results: Results, what: str, ending: str = "") -> List[Tuple[int, Counters]]:
    """What was measured of scaling/WHAT:SIZE, by size."""
    start = f"scaling/{what}:"
    return sorted(((int(name[len(start):len(name) - len(ending)]), counters) for name, counters in results.items()
                   if name.startswith(start) and name.endswith(ending)), key=lambda pair: pair[0])


def cost(counters: Counters) -> List[str]:
    return [chart.short(counters["p50_us"] * 1e-3), f"{counters['of_peak']:.2f}"]


def bins_table(full: List[Tuple[int, Counters]], banded: List[Tuple[int, Counters]]) -> str:
    def a_bin(bins: int, counters: Counters) -> str:
        return chart.short(counters["p50_us"] / bins)

    of_band = dict(banded)
    rows = [[str(bins), *cost(all_pairs), a_bin(bins, all_pairs), *cost(of_band[bins]), a_bin(bins, of_band[bins])]
            for bins, all_pairs in full if bins in of_band]
    return table(["bins", "full context, ms", "of peak", "us a bin", "banded, ms", "of peak", "us a bin"], rows)


def across(what: str, measured: List[Tuple[int, Counters]]) -> str:
    """A column for each size."""
    times, shares = zip(*(cost(counters) for _, counters in measured))
    each = [chart.short(counters["p50_us"] / size) for size, counters in measured]
    return table([what, *(str(size) for size, _ in measured)],
                 [["ms", *times], ["of peak", *shares], [f"us / {what}", *each]])


def scaling(results: Results) -> None:
    """How cost grows: a table for each size, one picture for all."""
    full, banded = sizes_of(results, "bins", "/full"), sizes_of(results, "bins", "/banded")
    others = {what: sizes_of(results, what) for what in ("neurons", "layers", "batch")}
    if full and banded:
        print(bins_table(full, banded))
    for what, measured in others.items():
        if measured:
            print(across(what, measured))
    curves = {"bins, full context": full, "bins, 30 back and 20 ahead": banded, **others}
    if not any(curves.values()):
        return
    chart.lines(str(PICTURES / "scaling.svg"), "A forward pass around maze700, one core",
                "bins, neurons, layers or windows at once", "median time, ms",
                {name: [(float(size), counters["p50_us"] * 1e-3) for size, counters in measured]
                 for name, measured in curves.items() if measured}, log=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", nargs="+", help="results of ndt_bench")
    results = load(parser.parse_args().json)
    PICTURES.mkdir(exist_ok=True)
    recurrent(results)
    scaling(results)


if __name__ == "__main__":
    main()
