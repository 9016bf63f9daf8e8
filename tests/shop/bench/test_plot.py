"""The plots are well-formed, and say all that they show."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from bench.plot import Plot

PLOT = Plot(
    title="Costs <of> events",
    x_axis="works",
    y_axis="µs an event",
    groups=["one", "two"],
    values={"ours": [10.0, None], "theirs": [1000.0, 250.0]},
)


def test_a_plot_has_its_title_axes_and_units() -> None:
    """And the names of all that is compared."""
    texts = [text for text in ET.fromstring(PLOT.svg()).itertext() if text.strip()]

    assert {"Costs <of> events", "works", "µs an event", "one", "two", "ours", "theirs"} <= set(texts)


def test_a_plot_is_for_light_pages_and_dark_ones() -> None:
    """By what the page's reader prefers."""
    assert "prefers-color-scheme: dark" in PLOT.svg()


def test_each_bar_says_its_value() -> None:
    """On it, and to whoever can't see it; none stands for what isn't known."""
    bars = re.findall(r"<g><title>([^<]+)</title>", PLOT.svg())

    assert bars == ["ours, one: 10", "theirs, one: 1,000", "theirs, two: 250"]


def test_a_bar_is_as_high_as_its_value_is_large() -> None:
    """By its power of ten: the axis is logarithmic."""
    heights = [int(height) for height in re.findall(r'width="30" height="(\d+)"', PLOT.svg())]

    assert heights[1] > heights[2] > heights[0] > 0
