"""Dot plots as SVG, written by hand: the same runs give the same bytes, and nothing has to be installed.

A plot has panels beside each other that share their rows. A row of a panel is a label and (minimum, median, maximum): a line from least
to most with a dot on the median and its figure.
"""

import dataclasses
import math
from xml.sax.saxutils import escape

from .text import number

PANEL_W, GAP, ROW_H, HEAD_H, FOOT_H = 270, 24, 22, 34, 24
LETTER_W = 7  # about, of a label
FIGURE_W = 58  # right of the scale, for the median's figure
OURS, OTHERS, GRID, TEXT = "#c2410c", "#475569", "#d4d4d8", "#27272a"
LOG_FROM = 30  # most by least: past it the scale is logarithmic


@dataclasses.dataclass(frozen=True)
class Row:
    label: str
    is_ours: bool
    spreads: tuple  # of (minimum, median, maximum), one a panel; None: nothing known


def step(most):
    """A round distance between ticks, so that there are three to six."""
    raw = most / 4
    unit = 10 ** math.floor(math.log10(raw))
    return next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw)


class Scale:
    """From a value to 0..1, and the ticks."""

    def __init__(self, values):
        least, most = min(values), max(values)
        self.is_log = least > 0 and most / least > LOG_FROM
        if self.is_log:
            low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
            self.low, self.high = low, max(high, low + 1)
            self.ticks = [10.0**e for e in range(self.low, self.high + 1)]
        else:
            distance = step(most) if most > 0 else 1
            n = max(1, math.ceil(most / distance - 1e-9))
            self.low, self.high = 0, n * distance
            self.ticks = [i * distance for i in range(n + 1)]

    def __call__(self, v):
        at = math.log10(v) if self.is_log else v
        return (at - self.low) / (self.high - self.low)


def text(x, y, content, anchor="start", fill=TEXT, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{more}>{escape(content)}</text>'


def line(x1, y1, x2, y2, stroke, width):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width}"/>'


def panel(left, title, rows, index):
    """The lines of one panel, nothing when it has no figures."""
    known = [r.spreads[index] for r in rows if r.spreads[index]]
    if not known:
        return []
    scale = Scale([v for spread in known for v in spread])
    width, bottom = PANEL_W - FIGURE_W, HEAD_H + ROW_H * len(rows)

    def x(v):
        return left + scale(v) * width

    out = [text(left, 18, title + (" (logarithmic)" if scale.is_log else ""), more=' font-weight="bold"')]
    for tick in scale.ticks:
        out += [line(x(tick), HEAD_H - 6, x(tick), bottom, GRID, 1), text(x(tick), bottom + 14, number(tick), "middle", OTHERS)]
    for i, row in enumerate(rows):
        if not row.spreads[index]:
            continue
        least, middle, most = row.spreads[index]
        y, colour = HEAD_H + ROW_H * (i + 0.5), OURS if row.is_ours else OTHERS
        out += [line(x(least), y, x(most), y, colour, 2), f'<circle cx="{x(middle):.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>',
                text(left + width + 8, y + 4, number(middle), fill=colour)]
    return out


def svg(title, panels, rows):
    """panels: their titles; rows: a Row each, with a spread for each panel."""
    labels_width = 24 + LETTER_W * max(len(r.label) for r in rows)
    width, height = labels_width + len(panels) * (PANEL_W + GAP), HEAD_H + ROW_H * len(rows) + FOOT_H
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
           ' font-family="system-ui, sans-serif" font-size="12">', f"<title>{escape(title)}</title>",
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for i, row in enumerate(rows):
        out.append(text(labels_width - 12, HEAD_H + ROW_H * (i + 0.5) + 4, row.label, "end", OURS if row.is_ours else OTHERS))
    for i, name in enumerate(panels):
        out += panel(labels_width + i * (PANEL_W + GAP), name, rows, i)
    return "\n".join([*out, "</svg>"]) + "\n"
