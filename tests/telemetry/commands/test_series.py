# SPDX-License-Identifier: Apache-2.0
"""Points for plots: few, and no peak lost."""

import numpy as np
import pytest

from telemetry.ops.series import MinMaxSeries


def fed(values, pieces, **options):
    """Return a series that was fed in pieces of random lengths."""
    series = MinMaxSeries(**options)
    at = 0
    while at < len(values):
        end = at + int(pieces.integers(0, 700))
        series.add(np.arange(at, min(end, len(values))), values[at:end])
        at = end
    return series


def test_few_points_are_drawn_as_they_came():
    series = MinMaxSeries(max_stretches=10)
    series.add(np.arange(7), np.array([3, 1, 4, 1, 5, 9, 2]), np.array([0, 0, 1, 0, 0, 4, 0]))
    assert series.drawn().tolist() == [
        [0, 1, 2, 3, 4, 5, 6], [3, 1, 4, 1, 5, 9, 2], [0, 0, 1, 0, 0, 4, 0],
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_every_stretch_keeps_its_lowest_and_its_highest_point(seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=int(random.integers(1, 60_000)))
    series = fed(values, random, max_stretches=100)
    x, y, _ = series.drawn()
    assert len(x) <= 2 * 101
    assert series.points == len(values)
    assert (np.diff(x) >= 0).all()
    assert (values[x.astype(int)] == y).all(), f"seed {seed}: a point was made up"
    assert (y.max(), y.min()) == (values.max(), values.min()), f"seed {seed}"


def test_a_single_spike_among_a_million_points_is_drawn():
    values = np.zeros(1_000_003)
    values[777_777] = 5.0
    series = MinMaxSeries(max_stretches=500)
    for at in range(0, len(values), 10_000):
        part = values[at : at + 10_000]
        series.add(np.arange(at, at + len(part)), part)
    x, y, _ = series.drawn()
    assert x[y == 5.0].tolist() == [777_777]
    assert len(x) <= 1002


@pytest.mark.parametrize("seed", range(4))
def test_no_line_leads_over_the_widest_hole_of_a_stretch(seed):
    """A long hole among many short ones is still there when stretches have been joined."""
    random = np.random.default_rng(seed)
    x = np.arange(50_000.0)
    is_kept = random.random(len(x)) > 0.001
    is_kept[20_000:24_000] = False
    kept = x[is_kept]
    widths = np.diff(kept, prepend=0.0)
    series = MinMaxSeries(max_stretches=100)
    for at in range(0, len(kept), 700):
        part = slice(at, at + 700)
        holes = np.where(widths[part] > 1, widths[part], 0.0)
        series.add(kept[part], np.sin(kept[part]), holes=holes)
    end = float(kept[kept >= 24_000][0])
    assert end in series.holes(), f"seed {seed}"
    assert len(series.holes()) <= 101
    drawn = series.drawn()[0]
    assert not ((drawn > 20_000) & (drawn < 24_000)).any()
