import json
from collections import Counter

from cascade.report.comparisons import compare_systems
from cascade.report.details_page import details_page
from cascade.report.phone_analysis import changes
from cascade.scoring.counts import utterance_counts
from cascade.scoring.score import score

REF = {f"u{i:02}": list("aabɨ") for i in range(40)}
WORDS = score({u: ["да", "нет"] for u in REF}, {u: ["да"] for u in REF})
HEARD = {"plain": "aaaɨ", "cascade": "aabɨ"}
TRAINING = {
    "plain": {"best_step": 9, "valid_per": 50.0, "ablation": {"whole": 50, "without layer2": 99.5}},
    "cascade": {"best_step": 20, "valid_per": 41.2, "ablation": {"whole": 41.2, "lower of en": 70}},
}


def page(languages=("ru", "en"), heard=None, **extra):
    scores = {
        system: score(REF, {u: list(phones) if u < "u30" else list("bbb") for u in REF})
        for system, phones in (heard or HEARD).items()
    }
    counts = {
        s: utterance_counts(WORDS, one, dict.fromkeys(REF, "anna")) for s, one in scores.items()
    }
    phones = {"ru": Counter("abɨ"), "en": Counter("ab")}
    training = {language: phones[language] for language in languages}
    compared = compare_systems("mine", counts, scores, training, changes(scores))
    test = {"files": 40, "systems": {system: {} for system in scores}, **compared, **extra}
    results = {"recipe": "x", "seed": 0, "tests": {"mine": test}, "training": TRAINING}
    return details_page(json.loads(json.dumps(results, allow_nan=False)))


def section(text, title):
    return text.split(f"\n## {title}\n\n")[1].split("\n## ")[0]


def tables(text):
    """The cells of each table, without the line under the header."""
    blocks = [b.splitlines() for b in text.split("\n\n") if b.startswith("|")]
    cells = [[[c.strip() for c in line.strip("|").split("|")] for line in b] for b in blocks]
    return [[rows[0], *rows[2:]] for rows in cells]


def test_error_rates_with_intervals():
    ((header, plain, cascade),) = tables(section(page(), "Error rates"))
    assert header == ["test", "system", "WER", "PER", "PER, shared phones", "PER, own phones"]
    assert plain[:3] == ["mine", "plain", "50.0 (50.0 to 50.0)"]
    assert plain[3].startswith("37.5 (") and cascade[3].startswith("18.8 (")


def test_pairs_without_the_first_system():
    title = "Differences between the other systems"
    assert title not in page()
    ((header, row),) = tables(section(page(heard={**HEARD, "deep": "abɨ"}), title))
    assert header[:4] == ["test", "system", "compared with", "fewer phone errors"]
    assert row[:3] == ["mine", "deep", "cascade"]
    assert row[3].startswith("**-100.0 % (") and row[4] == "0.001"
    assert row[5:] == ["0.0 % (0.0 to 0.0)", "1.00"]


def test_phones_that_are_shared_and_the_differences_in_them():
    sizes, differences = tables(section(page(), "Phones that the languages share"))
    assert sizes == [["test", "shared phones", "own phones"], ["mine", "120 (2)", "40 (1)"]]
    header, cascade = differences
    assert header[2:] == ["fewer errors in shared phones", "p", "fewer errors in own phones", "p"]
    assert cascade[2].startswith("**60.0 % (") and cascade[3] == "< 0.001"
    assert cascade[4].startswith("0.0 % (") and cascade[5] == "1.00"


def test_without_another_language_there_are_no_classes():
    text = page(languages=["ru"])
    assert "shared" not in text and "PER, own" not in text


def test_the_phone_n_gram_and_the_confidences():
    text = page(
        phone_ngram={
            "plain": {"PER": 45.25, "PERc": 40.5},
            "cascade": {"PER": None, "PERc": None},
        },
        confidence={
            "plain": {"words": 9, "correct": 5, "NCE": 0.12345, "AUC": 0.75},
            "cascade": {"words": 9, "correct": 9, "NCE": None, "AUC": None},
        },
    )
    ((header, plain, cascade),) = tables(section(text, "Phone n-gram and confidences"))
    assert header == ["test", "system", "Per/Perc with phone n-gram", "NCE", "AUC"]
    assert plain == ["mine", "plain", "45.2500/40.5000", "0.123", "0.750"]
    assert cascade == ["mine", "cascade", "n/a", "n/a", "n/a"]
    assert "confidences" not in page()


def test_errors_fixed_and_introduced():
    text = section(page(), "Most frequent changes of phone errors")
    assert text.rstrip().endswith(
        "- mine, cascade\n    - fixed: b as a (30 to 0)\n    - introduced: none"
    )


def test_the_training_has_a_column_for_every_ablation():
    ((header, plain, cascade),) = tables(section(page(), "Training").rstrip())
    assert header == ["system", "best step", "complete", "without layer2", "lower of en"]
    assert plain == ["plain", "9", "50.0", "99.5", ""]
    assert cascade == ["cascade", "20", "41.2", "", "70.0"]
