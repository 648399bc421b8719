#!/usr/bin/env python3
"""Golden files of the metrics: small inputs with the values that scikit-learn, SciPy and nlb_tools give for them.

    python3 tools/golden/make_metrics.py tests/golden/metrics

One file NAME.golden for every entry of CASES, seeded by its name, in the format that make_golden.py describes, without
config lines. The definitions below are plain NumPy, SciPy and scikit-learn. Where nlb_tools can be imported
(github.com/neurallatents/nlb_tools), every value that it defines is also computed with it and must be equal to 1e-12,
relative; the last line says whether that was so. Needs NumPy, SciPy and scikit-learn, and pandas for nlb_tools'
PSTHs. Neither the build nor the tests run this script.

Letters: B trials, T bins, N neurons, F features, O outputs, C conditions. Results carry the name of what they are.
"""

import argparse
import math
import pathlib
import sys
import types
import warnings
import zlib
from typing import Callable, Dict, List

import numpy as np
from scipy import signal
from scipy.special import gammaln
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

try:
    from nlb_tools import evaluation as nlb
except ImportError:
    nlb = None

Arrays = Dict[str, np.ndarray]
Random = np.random.RandomState
checked: List[str] = []


def check(what: str, ours: float, theirs: Callable[[], float]) -> None:
    """Ours against nlb_tools, where it is there."""
    if nlb is None:
        return
    value = theirs()
    both_nan = math.isnan(ours) and math.isnan(value)
    if not both_nan and not abs(ours - value) <= 1e-12 * max(1.0, abs(value)):
        raise SystemExit(f"{what}: {ours!r} here, {value!r} in nlb_tools")
    checked.append(what)


# Likelihoods.

def nll(rates: np.ndarray, counts: np.ndarray) -> float:
    """Sum of rate - n ln rate + ln n! where n is not NaN; a rate of 0 is 1e-9."""
    there = ~np.isnan(counts)
    r = np.where(rates[there] == 0, 1e-9, rates[there])
    n = counts[there]
    return float(np.sum(r - n * np.log(r) + gammaln(n + 1)))


def bits_per_spike(rates: np.ndarray, counts: np.ndarray) -> float:
    """[B,T,N] each; NaN without a spike (nlb_tools divides by 0 there)"""
    if np.nansum(counts) == 0:
        return math.nan
    mean = np.broadcast_to(np.nanmean(counts, axis=(0, 1)), counts.shape)
    return float((nll(mean, counts) - nll(rates, counts)) / np.nansum(counts) / np.log(2))


def likelihood(B: int, T: int, N: int, mean: float = 0.4, zeros: float = 0, nans: float = 0, silent: int = 0,
               constant: int = 0, empty: bool = False) -> Callable[[Random], Arrays]:
    """`zeros` of the rates are 0, `nans` of the counts NaN (with NaN rates there), the first `silent` neurons have no
    spike, the next `constant` always one; `empty`: no spikes at all."""
    def make(random: Random) -> Arrays:
        rates = random.gamma(2.0, mean / 2, (B, T, N))
        counts = random.poisson(rates).astype(np.float64)
        rates[random.uniform(size=rates.shape) < zeros] = 0
        counts[..., :silent] = 0
        counts[..., silent:silent + constant] = 1
        if empty:
            counts[:] = 0
        gone = random.uniform(size=counts.shape) < nans
        counts[gone] = np.nan
        rates[gone & (random.uniform(size=counts.shape) < 0.5)] = np.nan
        total, bps = nll(rates, counts), bits_per_spike(rates, counts)
        check("nll", total, lambda: nlb.neg_log_likelihood(rates.copy(), counts.copy()))
        if not math.isnan(bps):
            check("bits per spike", bps, lambda: nlb.bits_per_spike(rates.copy(), counts.copy()))
        log_rates = np.log(np.where(rates == 0, 1e-9, rates))
        loss = np.nanmean(np.exp(log_rates) - counts * log_rates)
        return {"rates": rates, "log_rates": log_rates, "counts": counts, "nll": np.float64(total),
                "bits_per_spike": np.float64(bps), "loss": np.float64(loss)}
    return make


def cosmoothing(B: int, T: int, Tf: int, N: int, heldout: int) -> Callable[[Random], Arrays]:
    """Rates [B,T+Tf,N] with counts of held-out neurons [B,T,heldout] and of forward bins [B,Tf,N]."""
    def make(random: Random) -> Arrays:
        rates = random.gamma(2.0, 0.2, (B, T + Tf, N))
        counts = random.poisson(rates).astype(np.float64)
        co, fp = counts[:, :T, N - heldout:], counts[:, T:]
        co_bps, fp_bps = bits_per_spike(rates[:, :T, N - heldout:], co), bits_per_spike(rates[:, T:], fp)
        check("co-bps", co_bps, lambda: nlb.bits_per_spike(rates[:, :T, N - heldout:].copy(), co))
        check("fp-bps", fp_bps, lambda: nlb.bits_per_spike(rates[:, T:].copy(), fp))
        return {"rates": rates, "heldout": co.copy(), "forward": fp.copy(), "co_bps": np.float64(co_bps),
                "fp_bps": np.float64(fp_bps)}
    return make


# R2 and ridge regression.

def r2(rows: int, columns: int, constant: int = 0, met: int = 0) -> Callable[[Random], Arrays]:
    """The first `constant` columns of the truth never change; the first `met` columns are predicted exactly."""
    def make(random: Random) -> Arrays:
        truth = random.standard_normal((rows, columns)) * 3 + random.standard_normal(columns) * 50
        truth[:, :constant] = np.arange(constant)
        predicted = truth + random.standard_normal(truth.shape) * np.linspace(0.1, 5, columns)
        predicted[:, :met] = truth[:, :met]
        return {"truth": truth, "predicted": predicted,
                "columns": r2_score(truth, predicted, multioutput="raw_values"),
                "r2": np.float64(r2_score(truth, predicted))}
    return make


def regression(random: Random, rows: int, F: int, O: int, shift: float = 0, rank: int = 0):
    """x (rows,F), y (rows,O); `rank`: features are mixtures of so many signals."""
    x = random.standard_normal((rows, F))
    if rank:
        x = random.standard_normal((rows, rank)) @ random.standard_normal((rank, F))
    y = x @ random.standard_normal((F, O)) + 2 * random.standard_normal((rows, O)) + 7
    return x + shift, y


def ridge(rows: int, F: int, O: int, alpha: float, shift: float = 0, rank: int = 0) -> Callable[[Random], Arrays]:
    def make(random: Random) -> Arrays:
        x, y = regression(random, rows, F, O, shift, rank)
        fit = Ridge(alpha=alpha).fit(x, y)
        return {"x": x, "y": y, "alpha": np.float64(alpha), "weights": fit.coef_.reshape(O, F).T.copy(),
                "intercept": np.atleast_1d(fit.intercept_), "predicted": fit.predict(x).reshape(rows, O)}
    return make


ALPHAS = np.logspace(-4, 0, 9)


def search(rows: int, F: int, O: int, rank: int = 0, scale: float = 1.0) -> Callable[[Random], Arrays]:
    """`scale`: of the features. Small ones make the penalty matter."""
    def make(random: Random) -> Arrays:
        x, y = regression(random, rows, F, O, 0, rank)
        x = x * scale
        grid = GridSearchCV(Ridge(), {"alpha": ALPHAS}).fit(x, y)
        return {"x": x, "y": y, "alphas": ALPHAS, "alpha": np.float64(grid.best_params_["alpha"]),
                "scores": grid.cv_results_["mean_test_score"], "r2": np.float64(grid.score(x, y))}
    return make


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


def decoding(train: int, evals: int, T: int, N: int, dims: int, nans: bool = False,
             groups: int = 1) -> Callable[[Random], Arrays]:
    """Trials of training and evaluation; `nans`: behaviour that is not always there."""
    def make(random: Random) -> Arrays:
        mix = random.standard_normal((N, dims))
        a: Arrays = {}
        for name, B in (("train", train), ("eval", evals)):
            rates = random.gamma(2.0, 0.1, (B, T, N))
            group = np.arange(B) % groups
            sign = np.where(group == 0, 1.0, -1.0)[:, None, None]
            behavior = sign * (rates @ mix) + 0.3 * random.standard_normal((B, T, dims))
            if nans:
                behavior[random.uniform(size=(B, T)) < 0.2] = np.nan
            a[name + "_rates"], a[name + "_behavior"] = rates, behavior
            a[name + "_mask"] = (group[:, None] == np.arange(groups)).astype(np.int64)
        scores = []
        for g in range(groups):
            part = {}
            for name in ("train", "eval"):
                in_group = a[name + "_mask"][:, g] != 0
                x, y = flat(a[name + "_rates"][in_group]), flat(a[name + "_behavior"][in_group])
                there = ~np.isnan(y[:, 0])
                part[name] = x[there], y[there]
            scores.append(GridSearchCV(Ridge(), {"alpha": ALPHAS}).fit(*part["train"]).score(*part["eval"]))
        mean = float(np.mean(scores))
        check("behaviour R2", mean, lambda: nlb.velocity_decoding(
            a["train_rates"], a["train_behavior"], a["train_mask"] != 0,
            a["eval_rates"], a["eval_behavior"], a["eval_mask"] != 0))
        return {**a, "behavior_r2": np.float64(mean)}
    return make


# PSTHs. Conditions are stored as the condition of every trial, -1 for none.

def trials_of(condition: np.ndarray, C: int) -> List[np.ndarray]:
    return [np.flatnonzero(condition == c) for c in range(C)]


def moved(rates: np.ndarray, by: int) -> np.ndarray:
    """[T,N] later by so many bins, NaN where nothing is left"""
    out = np.full_like(rates, np.nan)
    T = len(rates)
    out[max(by, 0):T + min(by, 0)] = rates[max(-by, 0):T - max(by, 0)]
    return out


def psth_score(B: int, T: int, N: int, C: int, jitter: bool = False, shorter: int = 0,
               unused: int = 0) -> Callable[[Random], Arrays]:
    """`shorter`: condition c lacks its first c * shorter bins; `unused`: so many conditions have no trial."""
    def make(random: Random) -> Arrays:
        condition = np.arange(B) % (C - unused)
        if B > 3:
            condition[3] = -1
        psth = random.gamma(2.0, 0.2, (C, T, N))
        for c in range(C):
            psth[c, :c * shorter] = np.nan
        by = random.randint(0, shorter + 1, B) if jitter else np.zeros(B, dtype=np.int64)
        by = np.minimum(by, np.maximum(condition, 0) * shorter)
        rates = np.nan_to_num(psth[condition], nan=0.3) * random.uniform(0.7, 1.3, (B, T, N))
        lists = trials_of(condition, C)
        truth, predicted = [], []
        for c, trials in enumerate(lists):
            if len(trials):
                there = ~np.isnan(psth[c, :, 0])
                truth.append(psth[c][there])
                predicted.append(np.mean([moved(rates[i], by[i]) for i in trials], axis=0)[there])
        score = r2_score(np.vstack(truth), np.vstack(predicted))
        check("PSTH R2", score, lambda: nlb.eval_psth(psth, rates, lists, jitter=by))
        return {"psth": psth, "rates": rates, "condition": condition.astype(np.int64), "jitter": by.astype(np.int64),
                "psth_r2": np.float64(score)}
    return make


def smoothed(x: np.ndarray, sd: float) -> np.ndarray:
    """[T] convolved with a Gaussian of `sd` bins; stretches between NaNs apart"""
    window = signal.windows.gaussian(int(6 * sd), sd, sym=True)
    window /= window.sum()
    out = x.copy()
    there = np.concatenate([[False], ~np.isnan(x), [False]]).astype(int)
    for start, end in zip(np.flatnonzero(np.diff(there) == 1), np.flatnonzero(np.diff(there) == -1)):
        out[start:end] = signal.convolve(x[start:end], window, "same", method="direct")
    return out


def psth_of(B: int, T: int, N: int, C: int, sd: float, uneven: bool = False,
            align_end: bool = False) -> Callable[[Random], Arrays]:
    """`uneven`: trials of different lengths, some shorter than 0.8 of the mean."""
    def make(random: Random) -> Arrays:
        counts = random.poisson(0.7, (B, T, N)).astype(np.float64)
        condition = np.arange(B) % C
        length = np.full(B, T)
        if uneven:
            length = T - random.randint(0, T // 6 + 1, B)
            length[:C] = T // 2  # the first trial of every condition is too short
        for b in range(B):
            if align_end:
                counts[b, :T - length[b]] = np.nan
            else:
                counts[b, length[b]:] = np.nan
        psth = np.full((C, T, N), np.nan)
        for c, trials in enumerate(trials_of(condition, C)):
            kept = [b for b in trials if length[b] >= 0.8 * np.mean(length[trials])]
            smooth = np.array([[smoothed(counts[b, :, n], sd) for n in range(N)] for b in kept])
            bins = slice(T - min(length[kept]), T) if align_end else slice(0, min(length[kept]))
            psth[c, bins] = np.nanmean(smooth[:, :, bins], axis=0).T
        if nlb is not None and not check_psth(counts, condition, length, C, sd, align_end, psth):
            raise SystemExit("the PSTHs are not those of nlb_tools")
        return {"counts": counts, "condition": condition.astype(np.int64), "sd": np.float64(sd), "psth": psth}
    return make


def check_psth(counts: np.ndarray, condition: np.ndarray, length: np.ndarray, C: int, sd: float, align_end: bool,
               expected: np.ndarray) -> bool:
    """nlb_tools' own PSTHs of a recording that holds these trials one after the other with NaN between them."""
    import pandas as pd
    if "pynwb" not in sys.modules:  # only needed to read files
        pynwb, core = types.ModuleType("pynwb"), types.ModuleType("pynwb.core")
        pynwb.NWBHDF5IO = pynwb.NWBFile = pynwb.TimeSeries = pynwb.ProcessingModule = object
        core.MultiContainerInterface = core.NWBDataInterface = object
        sys.modules.update({"pynwb": pynwb, "pynwb.core": core})
    from nlb_tools import make_tensors
    from nlb_tools.nwb_interface import NWBDataset
    B, T, N = counts.shape
    gap = 50
    rows = np.full((B * (T + gap), N), np.nan)
    info = []
    ms = lambda row: pd.Timedelta(int(row), unit="ms")
    for b in range(B):
        start = b * (T + gap)
        rows[start:start + T] = counts[b]
        first = start + (T - length[b] if align_end else 0)
        info.append({"trial_id": b, "start_time": ms(first), "end_time": ms(first + length[b]),
                     "align_time": ms(start + T) if align_end else ms(first), "cond": condition[b], "split": "train"})
    # nlb_tools wants held-out neurons too: here one that is always 0.
    columns = pd.MultiIndex.from_tuples([("spikes", f"{n:04d}") for n in range(N)] + [("heldout_spikes", "0000")],
                                        names=("signal_type", "channel"))
    index = pd.to_timedelta(np.arange(len(rows)), unit="ms")
    index.name = "clock_time"
    everything = np.column_stack([rows, np.where(np.isnan(rows[:, :1]), np.nan, 0.0)])

    class Recording(NWBDataset):
        def __init__(self, *_, **__):
            self.data = pd.DataFrame(everything, index=index, columns=columns)
            self.trial_info, self.bin_width, self.fpath, self.prefix = pd.DataFrame(info), 1, "", ""

    make_tensors.NWBDataset = Recording
    every, no = np.full(B, True), np.full(B, False)
    _, psth, _ = make_tensors._make_psth(
        Recording(), every, every, no,
        make_params={"start_field": "start_time", "end_field": "end_time", "align_field": "align_time"},
        cond_fields=["cond"], kern_sd=sd, pad="front" if align_end else "back", seg_len=T)
    psth = psth[..., :N]
    checked.append("PSTHs")
    return psth.shape == expected.shape and np.allclose(psth, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


# Neural speed and produced time.

def speed(B: int, T: int, N: int) -> Callable[[Random], Arrays]:
    def make(random: Random) -> Arrays:
        rates = random.gamma(2.0, 0.2, (B, T, N))
        heldout = random.poisson(0.3, (B, T, 3)).astype(np.float64)
        for b in range(B):
            heldout[b, :b % (T // 2)] = np.nan
        behavior = np.column_stack([np.arange(B) % 2, np.arange(B) // 2 % 2, np.zeros(B),
                                    random.uniform(500, 1000, (B, 2))])
        behavior[5] = np.nan
        speeds = np.array([np.mean(np.linalg.norm(np.diff(r[~np.isnan(h[:, 0])], axis=0), axis=1))
                           for r, h in zip(rates, heldout)])
        rs = []
        for group in np.unique(behavior[~np.isnan(behavior[:, 0]), :3], axis=0):
            inside = np.all(behavior[:, :3] == group, axis=1)
            rs.append(pearsonr(speeds[inside], behavior[inside, -1])[0])
        r = float(np.mean(rs))
        check("tp corr", r, lambda: nlb.speed_tp_correlation(heldout, rates, behavior))
        return {"rates": rates, "heldout": heldout, "behavior": behavior, "tp_correlation": np.float64(r)}
    return make


# Forecasts.

def r_or(x: np.ndarray, y: np.ndarray, otherwise: float) -> float:
    if np.std(x) <= 1e-8 or np.std(y) <= 1e-8:
        return otherwise
    return float(np.corrcoef(x, y)[0, 1])


def forecast(rows: int, N: int, heldout: int, silent: int = 0, empty: int = 0, mean: float = 0.3) -> Callable[
        [Random], Arrays]:
    """The first `silent` neurons have no counts and constant predictions, the first `empty` bins no counts."""
    def make(random: Random) -> Arrays:
        predicted = random.gamma(2.0, mean / 2, (rows, N))
        counts = random.poisson(predicted).astype(np.float64)
        predicted[:, :silent] = 0.25
        counts[:, :silent] = 0
        counts[:empty] = 0
        predicted[:empty // 2] = 0
        if empty > 4:
            predicted[4] = 0.5  # a bin in which all neurons are predicted alike
        spatial = [r_or(p, c, np.nan) for p, c in zip(predicted, counts)]
        lengths = np.linalg.norm(predicted, axis=1), np.linalg.norm(counts, axis=1)
        cosine = np.sum(predicted * counts, axis=1) / np.maximum(lengths[0], 1e-8) / np.maximum(lengths[1], 1e-8)
        there = (lengths[0] > 1e-8) & (lengths[1] > 1e-8)
        fitted = int(rows * 0.8)
        shown, out = predicted[:, heldout:], counts[:, :heldout]
        line = Ridge(alpha=1.0).fit(shown[:fitted], out[:fitted]).predict(shown[fitted:]).reshape(-1, heldout)
        bps = []
        for n in range(heldout):
            k = out[fitted:, n]
            if k.sum() >= 1:
                bps.append(np.sum(k * np.log2(np.maximum(line[:, n], 1e-8) / max(k.mean(), 1e-8))) / k.sum())
        return {"predicted": predicted, "counts": counts, "heldout": np.int64(heldout),
                "aggregate_r": np.float64(np.mean([r_or(predicted[:, n], counts[:, n], 0) for n in range(N)])),
                "pop_rate_r": np.float64(r_or(predicted.sum(1), counts.sum(1), 0)),
                "spatial_r": np.float64(0 if np.all(np.isnan(spatial)) else np.nanmean(spatial)),
                "cosine": np.float64(np.mean(cosine)),
                "cosine_nonempty": np.float64(np.mean(cosine[there]) if there.any() else 0),
                "ridge_bps": np.float64(np.mean(bps) if bps and rows - fitted >= 10 else np.nan)}
    return make


CASES: Dict[str, Callable[[Random], Arrays]] = {
    "likelihood": likelihood(3, 7, 5),
    "likelihood_one": likelihood(1, 1, 1, mean=3, constant=1),
    "likelihood_large_counts": likelihood(2, 5, 3, mean=60),
    "likelihood_zero_rates": likelihood(3, 5, 7, zeros=0.3),
    "likelihood_nan_counts": likelihood(4, 9, 3, nans=0.3),
    "likelihood_constant_neurons": likelihood(2, 11, 6, silent=2, constant=1),
    "likelihood_all_at_once": likelihood(5, 13, 9, zeros=0.1, nans=0.1, silent=1, constant=1),
    "likelihood_no_spikes": likelihood(2, 3, 4, empty=True),
    "cosmoothing": cosmoothing(4, 9, 3, 7, 2),
    "cosmoothing_one_each": cosmoothing(5, 1, 1, 2, 1),
    "r2": r2(17, 5),
    "r2_two_rows": r2(2, 3),
    "r2_constant": r2(9, 6, constant=3, met=1),
    "r2_met": r2(5, 2, met=2),
    "ridge": ridge(23, 5, 2, 0.1),
    "ridge_one": ridge(7, 1, 1, 1.0),
    "ridge_more_features_than_rows": ridge(9, 17, 3, 0.01),
    "ridge_dependent_features": ridge(31, 8, 2, 0.001, rank=3),
    "ridge_far_from_zero": ridge(29, 4, 1, 0.5, shift=1e4),
    "ridge_no_penalty": ridge(13, 3, 2, 0.0),
    "search": search(43, 4, 2),
    "search_uneven_folds": search(28, 7, 1),
    "search_one_row_folds": search(5, 2, 1),
    "search_least_rows": search(11, 3, 2),
    "search_penalty_matters": search(50, 20, 2, scale=0.1),
    "search_dependent_features": search(37, 9, 3, rank=4),
    "decoding": decoding(7, 3, 9, 5, 2),
    "decoding_nan": decoding(9, 4, 7, 3, 1, nans=True),
    "decoding_masks": decoding(12, 6, 5, 4, 2, nans=True, groups=2),
    "psth_r2": psth_score(11, 7, 3, 4),
    "psth_r2_unused_condition": psth_score(9, 5, 2, 4, unused=1),
    "psth_r2_jitter": psth_score(13, 17, 3, 4, jitter=True, shorter=3),
    "make_psth": psth_of(7, 19, 2, 3, 2.5),
    "make_psth_even_window": psth_of(5, 23, 1, 2, 3.0),
    "make_psth_wide_window": psth_of(4, 9, 2, 2, 4.0),
    "make_psth_uneven": psth_of(13, 24, 2, 3, 1.5, uneven=True),
    "make_psth_uneven_end": psth_of(13, 24, 2, 3, 1.5, uneven=True, align_end=True),
    "speed": speed(21, 12, 5),
    "forecast": forecast(61, 7, 2),
    "forecast_silence": forecast(67, 9, 3, silent=1, empty=6),
    "forecast_sparse": forecast(101, 5, 1, mean=0.05),
    "forecast_short": forecast(23, 3, 1),
}

DTYPES = {"float64": ("f64", "<f8"), "int64": ("i64", "<i8")}


def encode(tensors: Arrays) -> bytes:
    """The bytes of a golden file."""
    lines, data = ["ndt-golden 1"], bytearray()
    for name, tensor in tensors.items():
        tensor = np.asarray(tensor)
        dtype, layout = DTYPES[tensor.dtype.name]
        lines.append(" ".join(["tensor", name, dtype, *map(str, (tensor.ndim, *tensor.shape, len(data)))]))
        data += tensor.astype(layout).tobytes()
    return ("\n".join(lines) + "\ndata\n").encode("ascii") + bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("outdir", type=pathlib.Path, help="where to write the NAME.golden files")
    outdir = parser.parse_args().outdir
    outdir.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", category=UserWarning)  # R2 of one row, which is asked for on purpose
    for name, make in CASES.items():
        content = encode(make(Random(zlib.crc32(name.encode()))))
        (outdir / f"{name}.golden").write_bytes(content)
        print(f"{name:32} {len(content):6} bytes")
    print(f"{len(checked)} values are those of nlb_tools" if nlb else "nlb_tools is not there: nothing was checked")


if __name__ == "__main__":
    main()
