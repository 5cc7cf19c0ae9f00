import pytest

from cascade.corpora.corpus import Excluded
from cascade.data.ledger import HEADER, SHOWN, Exclusions, ledger, write_ledger


def test_rows_of_faults_and_selections(tmp_path):
    path = tmp_path / "excluded.tsv"
    selection = Excluded("b", "beyond\n target_minutes: 5", 4.016, selection=True)
    write_ledger(path, [("train_ru", Excluded("a", "is missing")), ("test_ru", selection)])
    assert path.read_text(encoding="utf-8") == (
        f"{HEADER}train_ru\ta\tis missing\t\tfault\n"
        "test_ru\tb\tbeyond target_minutes: 5\t4.02\tselection\n"
    )


def test_an_error_leaves_no_ledger(tmp_path):
    path = tmp_path / "excluded.tsv"
    with pytest.raises(ZeroDivisionError), ledger(path) as add:
        add("train_ru", Excluded("a", "is missing"))
        raise ZeroDivisionError
    assert not path.exists()


def test_exclusions_are_counted_and_reach_the_ledger():
    rows = []
    exclusions = Exclusions("train_ru", lambda key, item: rows.append((key, item.id)))
    for number in range(SHOWN + 2):
        exclusions.add(Excluded(f"f{number}", "is missing"))
    for name in ("s0", "s1"):
        exclusions.add(Excluded(name, "too short", 0.1, selection=True))
    assert exclusions.fault_count == SHOWN + 2
    assert [item.id for item in exclusions.faults] == [f"f{n}" for n in range(SHOWN)]
    assert exclusions.selections == {"too short": 2}
    assert rows == [("train_ru", f"f{n}") for n in range(SHOWN + 2)] + [
        ("train_ru", "s0"),
        ("train_ru", "s1"),
    ]
