import pytest

from cascade.inventory.phone_counts import Inventory
from cascade.inventory.sharing import compare_phones

RU = Inventory("ru", {"a": 50, "tʲ": 30, "ɕ": 15, "XX": 5}, "")
EN = Inventory("en", {"a": 9, "t": 5, "d": 3, "ʃ": 2, "h": 1}, "")


def test_who_has_what():
    c = compare_phones(RU, EN)
    assert c.shared == ["a"]
    assert {phone: (n.phone, n.distance) for phone, n in c.nearest_in_other.items()} == {
        "tʲ": ("t", 1),
        "ɕ": ("ʃ", 2),
    }  # XX has no features
    assert sorted(c.nearest_in_target) == ["d", "h", "t", "ʃ"]
    assert c.nearest_in_target["t"].phone == "tʲ"


@pytest.mark.parametrize(
    ("limit", "covered"), [(None, 50), (0, 50), (0.5, 50), (1, 80), (1.5, 80), (2, 95), (99, 95)]
)
def test_coverage_of_the_targets_running_phones(limit, covered):
    assert compare_phones(RU, EN).covered(limit) == covered


def test_a_language_covers_itself_and_nothing_covers_nothing():
    assert compare_phones(RU, RU).covered() == 100 and compare_phones(RU, RU).nearest_in_other == {}
    assert compare_phones(RU, Inventory("x", {"YY": 1}, "")).covered(99) == 0


def test_rare_phones_cover_nothing():
    counts = {"a": 1, "t": 20_000}
    assert compare_phones(RU, Inventory("x", counts, "")).covered() == 0
    assert compare_phones(Inventory("x", counts, ""), RU).target.phones == {"t"}
    assert compare_phones(Inventory("x", counts, ""), RU).covered() == 0
