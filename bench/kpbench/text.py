"""Figures as text."""

import statistics


def number(v):
    """Three or four figures, never an exponent."""
    return f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.4g}" if abs(v) >= 100 or v == 0 else f"{v:.3g}" if abs(v) >= 0.001 else f"{v:.6f}"


def least_middle_most(values):
    v = sorted(values)
    return v[0], statistics.median(v), v[-1]


def spread(values):
    return "/".join(map(number, least_middle_most(values)))


def middle(values):
    known = [v for v in values if v is not None]
    return number(statistics.median(known)) if known else "-"
