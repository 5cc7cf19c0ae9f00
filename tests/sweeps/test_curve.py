import re
import xml.etree.ElementTree as ET

import pytest
from support import entry

from cascade.sweeps.curve import COLOURS, draw

SVG = "{http://www.w3.org/2000/svg}"


def drawn(path, key, values, systems=("plain", "cascade"), tests=("near", "far"), seeds=2):
    """The text of the picture of made up figures."""
    entries = [
        entry(system, value, seed, 90.0 - 9 * place + seed - number, test=test, key=key)
        for place, value in enumerate(values)
        for seed in range(seeds)
        for test in tests
        for number, system in enumerate(systems)
    ]
    draw(path, key, entries)
    return path.read_text()


def ticks(svg: str) -> list[tuple[str, float]]:
    """Labels and places of the ticks of the first panel's lower axis."""
    builder = ET.TreeBuilder(insert_comments=True)  # letters are drawn, comments say what
    root = ET.fromstring(svg, ET.XMLParser(target=builder))
    axis = next(g for g in root.iter(f"{SVG}g") if g.get("id") == "matplotlib.axis_1")
    labels = []
    for tick in axis.findall(f"{SVG}g"):
        if tick.get("id").startswith("xtick"):
            (text,) = tick.iter(ET.Comment)
            grid = next(path.get("d") for path in tick.iter(f"{SVG}path"))  # M x y L x y
            labels.append((text.text.strip(), float(grid.split()[1])))
    return labels


def shown(svg: str) -> list[str]:
    """All text in it."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", svg)]


def test_the_same_figures_give_the_same_bytes(tmp_path):
    one = drawn(tmp_path / "a.svg", "target_minutes", [5, 15, 40, "all"])
    assert drawn(tmp_path / "b.svg", "target_minutes", [5, 15, 40, "all"]) == one
    assert not re.search(r"\d{4}-\d\d-\d\d", one), "a date"
    assert "/" + str(tmp_path).strip("/") not in one


def test_a_panel_for_each_test_and_rate_and_a_line_for_each_system(tmp_path):
    svg = drawn(tmp_path / "a.svg", "target_minutes", [5, 15, 40, "all"])
    text = shown(svg)
    for test in ("near", "far"):
        for rate in ("phone", "word"):
            assert text.count(f"{test}: {rate} error rate, %") == 1
    assert text.count("minutes of target speech") == 2
    assert text.count("plain") == text.count("cascade") == 1  # the legend
    assert text.count("all (80)") == 4
    lines = re.findall(r'<path d="([^"]*)"[^>]*style="fill: none; stroke: (#\w+)', svg)
    for colour in COLOURS[:2]:
        means = [path for path, used in lines if used == colour and path.count("L") == 3]
        assert len(means) == 4, "through four means, in four panels"


def test_values_far_apart_stand_on_a_logarithmic_axis(tmp_path):
    (_, a), (_, b), (_, c) = places = ticks(
        drawn(tmp_path / "a.svg", "train.steps", [10, 100, 1000])
    )
    assert [name for name, _ in places] == ["10", "100", "1000"]
    assert b - a == pytest.approx(c - b, rel=1e-3)
    (_, a), (_, b), (_, c) = ticks(drawn(tmp_path / "a.svg", "train.dropout", [0.1, 0.2, 0.3]))
    assert b - a == pytest.approx(c - b, rel=1e-3)
    (_, a), (_, b), (_, c) = ticks(drawn(tmp_path / "a.svg", "train.dropout", [0.0, 0.1, 0.4]))
    assert 3 * (b - a) == pytest.approx(c - b, rel=1e-3)


def test_all_minutes_stand_where_they_are(tmp_path):
    (_, a), (_, b), (_, c) = ticks(drawn(tmp_path / "a.svg", "target_minutes", [40, 60, "all"]))
    assert (c - b) / (b - a) == pytest.approx((79.6 - 60) / 20, rel=1e-2)


def test_words_stand_side_by_side_without_lines(tmp_path):
    systems = ("a", "b", "c")
    svg = drawn(tmp_path / "a.svg", "features.cmn", ["online", "utterance"], systems)
    assert [name for name, _ in ticks(svg)] == ["online", "utterance"]
    assert "FillBetween" not in svg and "features.cmn" in shown(svg)


def test_noise_does_not_look_like_an_effect(tmp_path):
    entries = [entry("plain", value, 0, 40 + value / 100) for value in (5, 15, 40)]
    draw(tmp_path / "a.svg", "target_minutes", entries)
    numbers = [
        float(t) for t in shown((tmp_path / "a.svg").read_text()) if t.startswith(("3", "4"))
    ]
    assert min(numbers) <= 39 and max(numbers) >= 42


@pytest.mark.parametrize("values", [[15], ["online"]])
def test_one_point_is_drawn_too(tmp_path, values):
    assert ticks(drawn(tmp_path / "a.svg", "train.x", values, ("plain",), ("near",), seeds=1))
