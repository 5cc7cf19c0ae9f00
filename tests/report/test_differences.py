import pytest

from cascade.report.differences import from_reference, in_words, p_cell, reduction_cell


def pair(reduction, interval, p, reference="plain", system="cascade"):
    names = {"reference": reference, "system": system}
    return {**names, "reduction": reduction, "interval": interval, "p": p / 2, "p_holm": p}


GAIN = pair(6.53, [4.71, 8.36], 0.0002)
LOSS = pair(-6.53, [-8.36, -4.71], 0.0002)


def test_only_pairs_with_the_first_system():
    other = pair(1.0, [0.5, 1.5], 0.01, "cascade", "lower")
    comparison = {"rates": {"plain": {}, "cascade": {}, "lower": {}}, "pairs": [GAIN, other]}
    assert from_reference(comparison) == {"cascade": GAIN}


@pytest.mark.parametrize(
    ("difference", "cell", "p"),
    [
        (GAIN, "**6.5 % (4.7 to 8.4)**", "< 0.001"),
        (LOSS, "**-6.5 % (-8.4 to -4.7)**", "< 0.001"),
        (pair(6.53, [4.71, 8.36], 0.0501), "6.5 % (4.7 to 8.4)", "0.050"),
        (pair(-0.04, [-2.0, 2.0], 0.97), "0.0 % (-2.0 to 2.0)", "0.97"),
        (pair(5.0, [None, 9.0], 0.4), "5.0 %", "0.40"),
        (pair(5.0, None, 0.4), "5.0 %", "0.40"),
        (pair(None, None, 0.4), "n/a", "0.40"),
        ({**GAIN, "interval": None, "p_holm": None}, "6.5 %", "n/a"),
        (None, "n/a", "n/a"),
    ],
)
def test_cells(difference, cell, p):
    assert (reduction_cell(difference), p_cell(difference)) == (cell, p)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (GAIN, "6.5 % fewer word errors (95 % interval 4.7 to 8.4, p < 0.001)"),
        (LOSS, "6.5 % more word errors (95 % interval 4.7 to 8.4, p < 0.001)"),
        (
            pair(0.04, [-2.0, 3.0], 0.97),
            "0.0 % fewer word errors (95 % interval -2.0 to 3.0, p = 0.97)",
        ),
        (pair(5.0, [None, 9.0], 0.4), "5.0 % fewer word errors (p = 0.40)"),
        (pair(None, None, 0.04), "word errors where the other makes none (p = 0.040)"),
    ],
)
def test_words(difference, words):
    assert in_words(difference, "word errors") == words
