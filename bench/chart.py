"""Charts of measurements as SVG files, with the standard library alone: bar_panels() for figures by group, lines()
for curves. The same figures give the same bytes. Background and text have fixed colours, so a page may be
light or dark; series keep apart for colour-blind readers (the palette of Okabe & Ito), and the description that a
screen reader finds in the file holds every number.
"""

import dataclasses
import math
import xml.etree.ElementTree as xml
from typing import Callable, Dict, List, Optional, Sequence, Tuple

Series = Dict[str, List[Optional[float]]]  # a value for each group; None where there is none
Panel = Tuple[Sequence[str], Series]
Curves = Dict[str, List[Tuple[float, float]]]

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#5a5a5a", "#f0e442")
INK, FAINT = "#1f2328", "#d0d7de"
WIDTH, LEFT, RIGHT, PLOT = 960.0, 64.0, 24.0, 220.0  # of the picture, its margins, the height of a panel of bars
FONT = 12.0
LETTER = 0.58 * FONT  # about as wide as a letter of a sans serif font is on average


def add(parent: xml.Element, tag: str, text: str = "", **attributes: object) -> xml.Element:
    """A child element. Numbers are rounded to a tenth, and `_` in a name stands for `-`."""
    written = {name.replace("_", "-"): f"{value:.1f}" if isinstance(value, float) else str(value)
               for name, value in attributes.items()}
    child = xml.SubElement(parent, tag, written)
    child.text = text or None
    return child


def picture(title: str, description: str) -> xml.Element:
    """An SVG without height, which `save` adds when it is known."""
    root = xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-labelledby": "title desc",
                               "font-family": "system-ui, -apple-system, Arial, sans-serif", "font-size": f"{FONT:g}",
                               "fill": INK})
    add(root, "title", title, id="title")
    add(root, "desc", description, id="desc")
    add(root, "rect", width="100%", height="100%", fill="#ffffff")
    add(root, "text", title, x=LEFT, y=32.0, font_size=18, font_weight="bold")
    return root


def save(path: str, root: xml.Element, height: float) -> None:
    root.set("viewBox", f"0 0 {WIDTH:g} {height:.0f}")
    root.set("width", f"{WIDTH:g}")
    root.set("height", f"{height:.0f}")
    xml.indent(root)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(xml.tostring(root, encoding="unicode") + "\n")


def short(value: Optional[float]) -> str:
    """Two or three digits that count: 0.0123, 0.12, 1.23, 12.3, 1234; a dash for a value that is missing."""
    if not value:
        return "–" if value is None else "0"
    power = math.floor(math.log10(abs(value)))
    return f"{value:.{2 if power == -1 else max(0, 2 - power)}f}"


def round_number(value: float, direction: Callable[[float], int]) -> float:
    """The next of ..., 0.5, 1, 2, 5, 10, ...: not below `value` if direction is math.ceil, not above if math.floor."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = [power * step for step in (1, 2, 5, 10)]
    fits = [step for step in steps if (step >= value * (1 - 1e-9) if direction is math.ceil else step <= value)]
    return fits[0] if direction is math.ceil else fits[-1]


@dataclasses.dataclass
class Scale:
    """Values from low to high are drawn from start to end."""

    low: float
    high: float
    start: float
    end: float
    step: float  # between ticks; 0 if logarithmic

    @staticmethod
    def over(values: Sequence[float], start: float, end: float, log: bool) -> "Scale":
        """From the round number below the least of the values to that above the greatest."""
        low, high = min(values), max(values)
        if log:
            low, high = round_number(low, math.floor), round_number(high, math.ceil)
            return Scale(low, high if high > low else 2 * low, start, end, 0.0)
        step = round_number((high - low) / 6 or abs(high) or 1.0, math.ceil)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        return Scale(low, high if high > low else low + step, start, end, step)

    def place(self, value: float) -> float:
        position = (value - self.low) / (self.high - self.low) if self.step else \
            math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + (self.end - self.start) * position

    def ticks(self) -> List[float]:
        if self.step:
            return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if len(powers) <= 4 else (1,)
        return [step * 10.0**power for power in powers for step in steps
                if self.low * (1 - 1e-9) <= step * 10.0**power <= self.high * (1 + 1e-9)]


def rule(root: xml.Element, y: Scale) -> None:
    """Horizontal lines with their values."""
    for tick in y.ticks():
        add(root, "line", x1=LEFT, x2=WIDTH - RIGHT, y1=y.place(tick), y2=y.place(tick), stroke=FAINT)
        add(root, "text", f"{tick:g}", x=LEFT - 8, y=y.place(tick) + 4, text_anchor="end")


def key(root: xml.Element, names: Sequence[str], mark: Callable[[int, float, float], object]) -> float:
    """The legend below the title, in as many rows as it needs. Returns where the rest may begin."""
    x, y = LEFT, 58.0
    for i, name in enumerate(names):
        if x > LEFT and x + 18 + LETTER * len(name) > WIDTH - RIGHT:
            x, y = LEFT, y + 20
        mark(i, x + 6, y - 4)
        add(root, "text", name, x=x + 18, y=y)
        x += 40 + LETTER * len(name)
    return y + 16


def draw_bars(root: xml.Element, panel: Panel, colours: Dict[str, str], y: Scale, origin: float) -> None:
    """The bars of a panel from `origin`, each with its value above, also where the bar goes down: there is room."""
    groups, series = panel
    pitch = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    width = min(48.0, 0.86 * pitch / max(len(series), 1))
    upright = any(LETTER * len(short(value)) > width for values in series.values() for value in values)
    for i, group in enumerate(groups):
        middle = LEFT + (i + 0.5) * pitch
        add(root, "text", group, x=middle, y=y.start + 20, text_anchor="middle", font_weight="bold")
        for j, (name, values) in enumerate(series.items()):
            x, value = middle + (j - 0.5 * len(series)) * width, values[i]
            ends = sorted((y.place(origin if value is None else value), y.place(origin)))
            add(root, "rect", x=x + 1, y=ends[0], width=width - 2, height=ends[1] - ends[0], fill=colours[name])
            if upright:
                at_x, at_y = x + 0.5 * width + 4, ends[0] - 4
                add(root, "text", short(value), x=at_x, y=at_y, transform=f"rotate(-90 {at_x:.1f} {at_y:.1f})")
            else:
                add(root, "text", short(value), x=x + 0.5 * width, y=ends[0] - 4, text_anchor="middle")
    add(root, "line", x1=LEFT, x2=WIDTH - RIGHT, y1=y.place(origin), y2=y.place(origin), stroke=INK, stroke_width=1.5)


def bar_panels(path: str, title: str, panels: Dict[str, Panel], unit: str, log: bool = False,
               origin: Optional[float] = None) -> None:
    """One chart of bars above the other, by name, with one axis and one legend for all.

    Bars start from `origin`: by default 0, or the bottom of a logarithmic axis. With 1, ratios above it go up and those
    below it down.
    """
    names = list(dict.fromkeys(name for _, series in panels.values() for name in series))
    colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}
    told = [f"{panel + ', ' if panel else ''}{group}: " + ", ".join(
        f"{name} {short(values[i])}" for name, values in series.items())
        for panel, (groups, series) in panels.items() for i, group in enumerate(groups)]
    root = picture(title, f"{unit}. " + "; ".join(told) + ".")
    top = key(root, names, lambda i, x, y: add(root, "rect", x=x - 6, y=y - 6, width=12, height=12,
                                               fill=colours[names[i]]))
    values = [v for _, series in panels.values() for each in series.values() for v in each if v is not None] or [1.0]
    values += [origin] if origin is not None else [] if log else [0.0]
    for panel, content in panels.items():
        add(root, "text", f"{panel}: {unit}" if panel else unit, x=LEFT, y=top + 16, font_size=13)
        y = Scale.over(values, top + 44 + PLOT, top + 44, log)
        rule(root, y)
        draw_bars(root, content, colours, y, origin if origin is not None else y.low if log else 0.0)
        top += PLOT + 80
    save(path, root, top)


def marker(root: xml.Element, i: int, x: float, y: float) -> None:
    """The i-th series' mark: colour and form both tell it from the others."""
    fill = PALETTE[i % len(PALETTE)]
    square, up, diamond, down = (-4, -4, 4, -4, 4, 4, -4, 4), (0, -5, 5, 4, -5, 4), (0, -6, 6, 0, 0, 6, -6, 0), \
        (-5, -4, 5, -4, 0, 5)
    outlines: Tuple[Tuple[int, ...], ...] = ((), square, up, diamond, down)
    outline = outlines[i % len(outlines)]
    if not outline:
        add(root, "circle", cx=x, cy=y, r=4, fill=fill)
        return
    corners = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in zip(outline[::2], outline[1::2]))
    add(root, "polygon", points=corners, fill=fill)


def lines(path: str, title: str, x_label: str, y_label: str, series: Curves, log: bool = False) -> None:
    """Curves through points (x, y), with a mark at each point; both axes logarithmic if `log`."""
    told = [f"{name}: " + ", ".join(f"({x:g}, {short(y)})" for x, y in points) for name, points in series.items()]
    root = picture(title, f"{y_label} over {x_label}. " + "; ".join(told) + ".")
    top = key(root, list(series), lambda i, x, y: marker(root, i, x, y))
    add(root, "text", y_label, x=LEFT, y=top + 16, font_size=13)
    points = [point for curve in series.values() for point in curve] or [(1.0, 1.0)]
    bottom = top + 32 + 1.6 * PLOT
    x_scale = Scale.over([x for x, _ in points], LEFT + 12, WIDTH - RIGHT - 12, log)
    y_scale = Scale.over([y for _, y in points] + ([] if log else [0.0]), bottom, top + 32, log)
    rule(root, y_scale)
    for tick in x_scale.ticks():
        x = x_scale.place(tick)
        add(root, "line", x1=x, x2=x, y1=bottom, y2=bottom + 5, stroke=INK)
        add(root, "text", f"{tick:g}", x=x, y=bottom + 20, text_anchor="middle")
    add(root, "text", x_label, x=0.5 * (LEFT + WIDTH - RIGHT), y=bottom + 42, text_anchor="middle", font_size=13)
    for i, curve in enumerate(series.values()):
        places = [(x_scale.place(x), y_scale.place(y)) for x, y in curve]
        add(root, "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), fill="none",
            stroke=PALETTE[i % len(PALETTE)], stroke_width=2)
        for x, y in places:
            marker(root, i, x, y)
    save(path, root, bottom + 58)
