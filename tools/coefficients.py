#!/usr/bin/env python3
"""Prints the polynomials of include/ndt/kernels/elementary.hpp with their errors.

    python3 tools/coefficients.py        needs mpmath

Each is the minimax fit in relative error of a smooth function on an interval, by Remez' exchange in 60 digits.
"""

from typing import Callable, List, Tuple

from mpmath import cos, erfc, exp, log, lu_solve, matrix, mp, mpf, nstr, pi, polyval

mp.dps = 60
GRID = 2000


def minimax(f: Callable[[mpf], mpf], low: mpf, high: mpf, degree: int) -> Tuple[List[mpf], mpf]:
    """Coefficients, lowest power first, and the largest relative error on [low, high]."""
    count = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (count - 1)) for i in range(count)]
    grid = [low + (high - low) * (1 - cos(pi * mpf(k) / GRID)) / 2 for k in range(GRID + 1)]
    values = [f(x) for x in grid]
    while True:
        # The polynomial whose relative error alternates between the points.
        system, right = matrix(count, count), matrix(count, 1)
        for i, x in enumerate(points):
            value = f(x)
            for power in range(degree + 1):
                system[i, power] = x**power
            system[i, degree + 1] = (-1) ** i * value
            right[i] = value
        solution = lu_solve(system, right)
        coefficients = [solution[i] for i in range(degree + 1)]
        errors = [polyval(coefficients[::-1], x) / value - 1 for x, value in zip(grid, values)]
        worst, levelled = max(abs(e) for e in errors), abs(solution[degree + 1])
        if worst < levelled * mpf("1.001"):
            return coefficients, worst
        # Exchange: the largest error between two changes of sign becomes the next point.
        edges = [0] + [k for k in range(1, GRID + 1) if errors[k] * errors[k - 1] < 0] + [GRID + 1]
        extremes = [max(range(a, b), key=lambda k: abs(errors[k])) for a, b in zip(edges, edges[1:])]
        if len(extremes) != count:  # as good as the grid can tell
            return coefficients, worst
        points = [grid[k] for k in extremes]


def show(name: str, f: Callable[[mpf], mpf], low: mpf, high: mpf, degree: int) -> None:
    coefficients, error = minimax(f, low, high, degree)
    print(f"{name}, degree {degree}, relative error {nstr(error, 2)}")
    for coefficient in coefficients:
        print("   ", nstr(coefficient, 20))


def scaled_erfcx(centre: mpf) -> Callable[[mpf], mpf]:
    """(1 + 2z) e^(z^2) erfc(z) in t = (z - centre)/(z + centre), which folds [0, infinity) into [-1, 1)."""

    def f(t: mpf) -> mpf:
        z = centre * (1 + t) / (1 - t)
        return (1 + 2 * z) * exp(z * z) * erfc(z)

    return f


def main() -> None:
    half = log(2) / 2 * mpf("1.0001")  # a little more, as x is rounded before it is reduced
    show("exp, float", exp, -half, half, 6)
    show("exp, double", exp, -half, half, 11)
    for name, centre, limit, degree in (("float", mpf(2), mpf(10), 9), ("double", mpf("3.75"), mpf(28), 22)):
        show(f"erfcx, {name}", scaled_erfcx(centre), mpf(-1), (limit - centre) / (limit + centre), degree)


if __name__ == "__main__":
    main()
