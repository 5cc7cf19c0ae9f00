import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.runtime.errors import UserError
from cascade.sweeps.plan import TRAINED, number, rank, search_plan, sweep_plan


@pytest.fixture
def planned(small, read):
    """The plan of a sweep of the small recipe."""
    raw, layout = small
    return lambda swept, seeds=1, **keys: sweep_plan(
        lambda more: read(raw | keys, more), swept, seeds, layout
    )


def test_points_are_sorted_by_value_and_seed(planned, small):
    points = planned("target_minutes=all,40,5", seeds=2, seed=3)
    names = [f"target_minutes={value},seed={seed}" for value in (5, 40, "all") for seed in (3, 4)]
    assert [point.name for point in points] == names
    assert [point.layout.root for point in points] == [small[1].root / "sweep" / n for n in names]
    assert {point.layout.data for point in points} == {small[1].data}
    assert [point.recipe.target_minutes for point in points[::2]] == ["5", "40", "all"]
    assert [point.swept["target_minutes"] for point in points[::2]] == [5, 40, "all"]
    assert not any(point.done for point in points)


def test_any_key_is_swept(planned):
    assert [p.recipe.train.dropout for p in planned("train.dropout=0.3,0.1")] == [0.1, 0.3]
    assert [p.recipe.features.cmn for p in planned("features.cmn=utterance,online")] == [
        "online",
        "utterance",
    ]
    systems = [list(p.recipe.systems) for p in planned("systems=plain,both")]
    assert systems == [["both"], ["plain"]]
    assert [p.recipe.systems["both"].neurons for p in planned("systems.both.neurons=8")] == [8]


@pytest.mark.parametrize(
    ("swept", "seeds", "message"),
    [
        ("target_minutes", 1, "words, such as --sweep target_minutes=5,15,all"),
        ("=5", 1, "write a key of the recipe"),
        ("target_minutes=", 1, "write a key of the recipe"),
        ("target_minutes=5,,15", 1, "write a key of the recipe"),
        ("datasets=../../x", 1, "write a key of the recipe"),
        ("target_minutes=5,15,5", 1, "a value appears twice"),
        ("target_minutes=5,some", 1, "must be a number of minutes, or 'all'"),
        ("train.dropuot=0.1", 1, "the nearest known one is 'dropout'"),
        ("train.dropout=0.1,2", 1, "'train.dropout' must be 0 to 0.95, not 2"),
        ("seed=1,2", 1, "--sweep cannot vary 'seed'. For three seeds use --seeds 3."),
        ("target_minutes=5", 0, "--seeds must be at least 1"),
    ],
)
def test_what_cannot_be_swept(planned, swept, seeds, message):
    with pytest.raises(UserError, match=re.escape(message)):
        planned(swept, seeds)


def test_a_key_that_a_system_has_set_cannot_be_swept(planned):
    own = {"layers": [1], "neurons": 4, "train": {"steps": 9}}
    assert len(planned("train.dropout=0.1,0.2", systems={"own": own})) == 2
    with pytest.raises(UserError, match=r"--sweep train\.steps: system 'own' sets this key"):
        planned("train.steps=5,10", systems={"own": own})
    with pytest.raises(UserError, match=r"--sweep train\.epochs: system 'own' sets this key"):
        planned("train.epochs=1,2", systems={"own": own})  # its steps replace them
    own = {"layers": [1], "neurons": 4, "encoder": "conformer"}
    with pytest.raises(UserError, match="--sweep encoder: system 'own' sets this key"):
        planned("encoder=lstm,blstm", systems={"own": own})


@pytest.fixture
def searched(small, read):
    """The plan of a search of the small recipe."""
    raw, layout = small
    return lambda wanted, seeds=1, **keys: search_plan(
        lambda more: read(raw | keys, more), wanted, seeds, layout
    )


def test_a_search_tries_every_combination(searched, small):
    points = searched(["train.dropout=0.3,0.1", "train.augment.warp=2,1"], seeds=2)
    settings = [(d, w, seed) for d in (0.1, 0.3) for w in (1, 2) for seed in (0, 1)]
    assert [
        (p.recipe.train.dropout, p.recipe.train.augment.warp, p.seed) for p in points
    ] == settings
    assert points[0].name == "train.dropout=0.1,train.augment.warp=1,seed=0"
    assert points[0].swept == {"train.dropout": 0.1, "train.augment.warp": 1}
    assert len({point.layout.root for point in points}) == 8
    assert points[0].layout.root == small[1].root / "search" / points[0].name
    assert {point.last for point in points} == {TRAINED}


@pytest.mark.parametrize(
    ("wanted", "keys", "message"),
    [
        (["features.cmn=online"], {}, "a search takes only keys of 'train', such as --search"),
        (["train.dropout"], {}, "words, such as --search train.dropout=0.15,0.3"),
        (["train.dropout=0.1", "train.dropout=0.2"], {}, "a key appears twice"),
        (["train.dropout=0.1,2"], {}, "'train.dropout' must be 0 to 0.95, not 2"),
        (
            ["train.augment.warp=1,2"],
            {"train": {"augment": {"warp": 1}}},
            "system 'own' sets this key itself",
        ),
        (["train.augment.warp=1,2"], {"train": {"dropout": 0.1}}, None),
    ],
)
def test_what_cannot_be_searched(searched, wanted, keys, message):
    own = {"layers": [1], "neurons": 4, "train": keys.get("train", {})}
    if message is None:
        assert len(searched(wanted, systems={"own": own})) == 2
        return
    with pytest.raises(UserError, match=re.escape(message)):
        searched(wanted, systems={"own": own})


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_are_numbers(value):
    assert number(str(value)) == value
    assert type(number(str(value))) is type(value)


@given(st.lists(st.integers(-99, 99).map(str) | st.sampled_from(["all", "online", "nan", "1_0"])))
def test_numbers_come_by_size_and_then_words(values):
    ordered = sorted(values, key=rank)
    words = [value for value in ordered if number(value) is None]
    numbers = [number(value) for value in ordered[: len(ordered) - len(words)]]
    assert numbers == sorted(numbers) and words == sorted(words)
    assert ordered[len(numbers) :] == words
