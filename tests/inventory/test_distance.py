import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.inventory.distance import LEAST, Neighbour, described, distance, nearest_phones

RU = (
    "a b bʲ d dʲ e f fʲ i j k kʲ l lʲ m mʲ n nʲ o p pʲ r rʲ s sʲ t ts tʃ tʲ u v vʲ x z"
    " ɕ ɛ ɡ ɡʲ ɨ ɪ ʃ ʌ ʑ ʒ"
)
EN = "a b d dʒ e f h i j k l m n o p s t tʃ u v w z æ ð ŋ ɔ ə ɛ ɡ ɪ ɹ ɾ ʃ ʊ ʌ ʒ ʔ θ"
MORE = (
    "tʃʲ ɭʲ tɕ dʑ tʂ dʐ dz ᵻ ɚ ɝ ɵ y ø œ œ̃ ɑ̃ ɔ̃ ɛ̃ ç ʝ ɟ c ɲ ʎ ɣ β ʁ χ ʀ ɦ ʋ ʏ ɐ ɜ ɯ ɤ ʈ ɖ ɳ ɭ ʂ ʐ g"
)
PHONES = sorted({*RU.split(), *EN.split(), *MORE.split()})
settings.register_profile(
    "phones", max_examples=100, deadline=None, derandomize=True, database=None
)


@pytest.mark.parametrize("phone", PHONES)
def test_what_espeak_writes_is_described(phone):
    assert described(phone)
    assert distance(phone, phone) == 0


@pytest.mark.parametrize("phone", ["", "AH", "tt", "1", "ʲ", "tʃʃ", "<blk>", "ts tʃ"])
def test_what_is_no_phone_is_not(phone):
    assert not described(phone)
    with pytest.raises(KeyError):
        distance("a", phone)


@pytest.mark.parametrize(
    ("a", "b", "features"),
    [
        ("t", "d", 1),  # voice
        ("t", "tʲ", 1),  # palatalisation
        ("ts", "tʃ", 2),  # as affricates, not as t and s
        ("tʃ", "dʒ", 1),
        ("r", "ɾ", LEAST),
        ("k", "kʲ", LEAST),
        ("ɚ", "ə˞", LEAST),  # two ways to write one phone are two units
        ("x", "h", 2),
    ],
)
def test_features_apart(a, b, features):
    assert distance(a, b) == features


@settings(settings.get_profile("phones"))
@given(*[st.sampled_from(PHONES)] * 3)
def test_it_is_a_metric(a, b, c):
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_neighbours_are_those_that_a_phonetician_names():
    lacking = set(RU.split()) - set(EN.split())
    nearest = {phone: near.phone for phone, near in nearest_phones(lacking, EN.split()).items()}
    assert nearest == {
        **{f"{letter}ʲ": letter for letter in "bdfklmnpstvɡ"},
        "r": "ɾ",
        "rʲ": "ɾ",
        "ɕ": "ʃ",
        "ʑ": "ʒ",
        "ts": "t",
        "x": "k",
        "ɨ": "i",
    }
    back = nearest_phones(["θ", "ð", "h", "w", "ŋ", "ɹ", "æ"], RU.split())
    assert [back[p].phone for p in ("θ", "ð", "h", "w", "ŋ", "æ")] == ["s", "z", "x", "u", "ɡ", "a"]


@settings(settings.get_profile("phones"))
@given(st.sets(st.sampled_from(PHONES)), st.sets(st.sampled_from(PHONES)), st.randoms())
def test_nearest_is_the_least_distance_in_any_order(own, others, rng: random.Random):
    neighbours = nearest_phones(own, others)
    assert list(neighbours) == (sorted(own) if others else [])
    for phone, near in neighbours.items():
        assert near.phone in others
        assert near.distance == min(distance(phone, other) for other in others)
    shuffled = [rng.sample(sorted(s), len(s)) * 2 for s in (own, others)]
    assert nearest_phones(*shuffled) == neighbours


def test_phones_without_features_are_left_out():
    assert nearest_phones(["AH", "t"], ["AH", "d"]) == {"t": Neighbour(1, "d")}
    assert (
        nearest_phones(["t"], ["AH"])
        == nearest_phones([], ["t"])
        == nearest_phones(["t"], [])
        == {}
    )


def test_affricates_are_one_segment():
    for a, b in product(("ts", "dz", "tʃ"), ("t", "s")):
        assert distance(a, b) < distance(a, "a")
