import pytest
from bundle_files import TEST, trained

from cascade.corpora import corpus
from cascade.export.model_card import model_card
from cascade.runtime.files import write_json, write_text_table


@pytest.fixture
def experiment(tmp_path, raw, read):
    raw["languages"]["ru"] |= {"texts": ["texts_ru"], "dictionaries": ["dictionary_ru"]}
    return trained(tmp_path, raw, read)


def test_it_says_what_the_model_is_made_of_and_how_good_it_is(experiment):
    text = model_card(experiment, "plain")
    assert text.startswith("# Model card: ru, small, plain\n")
    assert "5 phones" in text and "a decoding graph of 3 words" in text
    rows = {tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in text.splitlines()}
    licence = corpus.load("table").LICENCE
    assert ("train", "ru", "table", "0.03", "2", licence) in rows  # 90 s: "c" is not used
    assert ("valid", "ru", "table", "0.03", "2", licence) in rows
    assert not any(row[:1] == ("train_ext",) for row in rows)  # plain is trained on the target
    assert ("train_ext", "en", "table", "0.03", "2", licence) in {
        tuple(cell.strip() for cell in line.split("|")[1:-1])
        for line in model_card(experiment, "both").splitlines()
    }
    assert any(row[:2] == ("text", "texts\\_ru") and "GPL-2" in row[2] for row in rows)
    assert any(row[:2] == ("dictionary", "dictionary\\_ru") for row in rows)
    assert ("table", "2", "61.0 (55.5 to 66.5)", "30.0", "1.5 %") in rows
    assert "- Other voices. It learnt 0.03 hours of its language from 2 speakers;" in text
    assert "- Speech such as table: 61 % of its words are wrong." in text


def test_what_it_is_not_good_for_follows_from_the_data(experiment):
    layout = experiment.layout
    good = {**TEST, "systems": {"plain": {"WER": 12.0}}}
    write_json(layout.root / "results.json", {"tests": {"table": good}})
    names = {f"u{i}": [f"s{i}"] for i in range(12)}
    write_text_table(layout.text("train_ru", "speakers"), names)
    write_text_table(layout.num_frames("train_ru"), {name: ["360000"] for name in names})
    text = model_card(experiment, "plain")
    assert "Other voices" not in text and "Speech such as" not in text
    assert "that are not in its 12.00 hours of" in text


def test_speakers_that_nobody_named_are_not_one(experiment):
    names = {f"u{i}": ["unknown"] for i in range(12)}
    write_text_table(experiment.layout.text("train_ru", "speakers"), names)
    write_text_table(experiment.layout.num_frames("train_ru"), {name: ["360000"] for name in names})
    text = " ".join(model_card(experiment, "plain").split())
    assert "12.00 hours of training speech. How many speakers these have is not known." in text
    assert "from one speaker" not in text


def test_tests_in_which_networks_adapted_are_left_out(experiment):
    two = {"table": TEST, "table_adapted": {**TEST, "adapted": {"plain": 2}}}
    write_json(experiment.layout.root / "results.json", {"tests": two})
    text = model_card(experiment, "plain")
    assert "table" in text and "adapted" not in text.partition("texts")[0]
    assert text.count("Speech such as") == 1


def test_names_from_elsewhere_make_no_markdown(experiment):
    layout = experiment.layout
    write_json(layout.root / "results.json", {"tests": {"<b>[x](y)|": TEST}})
    text = model_card(experiment, "plain")
    assert "<b>" not in text and "[x](y)" not in text


def test_speech_of_a_teacher_and_of_a_start_is_named(tmp_path, raw, read):
    raw["systems"]["later"] = {"layers": [4], "start": "both"}
    raw["systems"]["other"] = {"layers": [4], "start": "models/theirs_*"}
    experiment = trained(tmp_path, raw, read)
    assert "| train_ext " in model_card(experiment, "later")
    text = model_card(experiment, "other")
    assert "| train_ext " not in text
    assert "started from another model, with speech of its own: models/theirs\\_\\*." in text
