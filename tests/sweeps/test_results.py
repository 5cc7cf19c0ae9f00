import re
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import entry

from cascade.sweeps.results import by_value, label, markdown, minutes

rates = st.floats(0, 200).map(lambda rate: round(rate, 4))


def compared(
    value, reduction, interval, p, unit="phones", key="target_minutes", drawn="utterances"
):
    pair = {"reference": "plain", "system": "cascade", "reduction": reduction}
    pair |= {"interval": interval, "p": p, "p_holm": p}
    about = {"test": "mine", "unit": unit, "drawn": drawn, "seeds": 2}
    return {key: value, **about, "pairs": [pair]}


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of the first table whose header begins with ``first``."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first}"))
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({}, "bootstrap over utterances and seeds. Bold"),
        ({"drawn": "speakers"}, "bootstrap over speakers and seeds. Bold"),
        ({"seeds": 1}, "bootstrap over utterances. Bold"),
    ],
)
def test_what_is_drawn_is_named(changes, drawn):
    entries = [entry(system, 5, 0, 40.0) for system in ("plain", "cascade")]
    comparisons = [compared(5, 10.0, [4.0, 15.0], 0.001) | changes]
    text = markdown("x", "target_minutes", entries, comparisons, 1)
    assert drawn in " ".join(text.split())


def test_a_table_for_each_rate_with_spread_and_verdicts():
    entries = [
        entry(system, value, seed, per, wer=per + 20)
        for value, pers in ((5, (44, 46, 40, 41)), ("all", (20, 22, 21, 25)))
        for seed in (0, 1)
        for system, per in (("plain", pers[seed]), ("cascade", pers[2 + seed]))
    ]
    comparisons = [
        compared(5, 10.04, [4.06, 15.2], 0.001),
        compared("all", -9.5, [-30.0, 7.7], 0.21),
    ]
    text = markdown("ru_en", "target_minutes", entries, comparisons, 6)
    assert text.startswith("# Sweep of ru_en over target_minutes\n\n4 of 6 points")
    assert "The mean over the seeds 0, 1;" in text and "missing" not in text
    header, _, *body = rows(text, "PER, %")
    assert [header, *body] == [
        ["PER, %", "5 min", "all (80 min)"],
        ["plain", "45.00 (44.00 to 46.00)", "21.00 (20.00 to 22.00)"],
        ["cascade", "40.50 (40.00 to 41.00)", "23.00 (21.00 to 25.00)"],
        [
            "fewer phone errors: cascade than plain",
            "**10.0 % (4.1 to 15.2)**",
            "-9.5 % (-30.0 to 7.7)",
        ],
    ]
    assert [row[0] for row in rows(text, "WER, %")[2:]] == ["plain", "cascade"]
    assert rows(text, "WER, %")[2][1] == "65.00 (64.00 to 66.00)"
    assert "Out-of-vocabulary words: 12.5 % at 5 min, 12.5 % at all (80 min)." in text


def test_a_column_without_a_seed_is_named():
    entries = [entry("plain", value, seed, 40.0) for value in (5, 15) for seed in (0, 1)]
    text = markdown("ru_en", "target_minutes", entries[:3], [], 4)
    assert text.startswith("# Sweep of ru_en over target_minutes\n\n3 of 4 points")
    assert "\n\n**Some seeds are missing**: 15 min (only 0).\n\n" in text


def test_what_is_not_known():
    entries = [
        entry("plain", 5, 0, None),
        entry("cascade", 5, 0, 40.0),
        entry("plain", 15, 0, 30.0),
    ]
    comparisons = [compared(5, None, None, None), compared(15, 3.0, [None, 4.0], 0.2)]
    table = rows(markdown("x", "target_minutes", entries, comparisons, 4), "PER, %")
    assert [row[1:] for row in table[2:]] == [
        ["n/a", "30.00"],  # one seed has no spread
        ["40.00", "n/a"],
        ["n/a", "3.0 %"],
    ]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("target_minutes", 5, "5 min"),
        ("target_minutes", 2.5, "2.5 min"),
        ("target_minutes", "all", "all (80 min)"),
        ("train.dropout", 0.1, "0.1"),
        ("features.cmn", "online", "online"),
    ],
)
def test_values_are_shown_as_they_were_asked_for(key, value, shown):
    assert label(key, value, [entry("plain", value, 0, 1.0, key=key)], " min") == shown


@given(st.dictionaries(st.tuples(st.integers(1, 5), st.integers(0, 5)), rates, min_size=1))
def test_each_mean_is_that_of_its_seeds(points):
    entries = [entry("plain", value, seed, per) for (value, seed), per in sorted(points.items())]
    grouped = by_value(entries, "target_minutes", "PER")
    assert list(grouped) == sorted({value for value, _ in points})
    assert sum(len(each) for each in grouped.values()) == len(points)
    table = rows(markdown("x", "target_minutes", entries, [], 9), "PER, %")
    for cell, (value, each) in zip(table[2][1:], grouped.items(), strict=True):
        numbers = [float(number) for number in re.findall(r"[\d.]+", cell)]
        expected = [statistics.mean(each), min(each), max(each)][: 3 if len(each) > 1 else 1]
        assert numbers == pytest.approx(expected, abs=0.00501)
        seeds = [seed for v, seed in points if v == value]
        assert minutes(value, entries) == pytest.approx(value + statistics.mean(seeds) / 10)
