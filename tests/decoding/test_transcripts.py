"""What a teacher recognises in speech without transcripts, with planted outputs of its network."""

import csv

import numpy as np
import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.decoding import transcripts
from cascade.decoding.oracle import certain_outputs
from cascade.lm import graph
from cascade.lm.mixture import unigram
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_text_table, write_json, write_text_table
from cascade.text.phones import read_phones, write_phones

LEXICON = {"атта": ["a t t a"], "кот": ["k o t", "k a t"], "сок": ["s o k"]}
SPOKEN = {"clear": "k a t a t t a", "empty": "", "torn": "s o k", "twice": "s o k s o k"}
KEY, OTHER = "train_untranscribed_ru_table", "train_untranscribed_ru_hers"


@pytest.fixture
def experiment(tmp_path, raw, read, monkeypatch, request):
    """``student`` learns from ``plain``, which is sure of all but ``torn`` and ``empty``."""
    hers = getattr(request, "param", ["clear"])
    layout = Layout(tmp_path / "exp", tmp_path, tmp_path)
    for path in (layout.phones, layout.system("plain") / "phones.txt"):
        write_phones(path, {"ru": {"k", "o", "t", "s", "a"}})
    phones = read_phones(layout.phones)
    lexicon = {word: [pron.split() for pron in prons] for word, prons in LEXICON.items()}
    model = unigram(dict.fromkeys(LEXICON, 1 / 3))
    graph.build(lexicon, phones, model, layout.graph, layout.words)
    lines = [f"{word} {pron}\n" for word, prons in LEXICON.items() for pron in prons]
    layout.lexicon.write_text("".join(lines), encoding="utf-8")
    scales = {"acoustic_scale": 1.0, "blank_penalty": 0.0, "word_penalty": 0.0}
    write_json(layout.search("plain"), {"found": scales, "trials": []})
    planted = {}
    for name, text in SPOKEN.items():
        planted[name] = certain_outputs([phones.index(phone) for phone in text.split()], 6)
    other = certain_outputs([phones.index(phone) for phone in ("k", "o", "t")], 6)
    planted["torn"] = np.log((np.exp(planted["torn"]) + np.exp(other)) / 2)
    asked = {KEY: sorted(planted, reverse=True), OTHER: hers}
    for key, names in asked.items():
        write_text_table(layout.num_frames(key), {name: ["120"] for name in names})

    class Outputs:
        """Stands for the teacher's network."""

        def __init__(self, experiment, system, keys):
            assert system == "plain"
            (self.key,) = keys
            self.utterances = asked[self.key]

        def batches(self):
            return iter([[i] for i in range(len(self.utterances))])

        def __call__(self, indices):
            return [(self.utterances[i], planted[self.utterances[i]]) for i in indices]

    monkeypatch.setattr(transcripts, "NetworkOutputs", Outputs)
    dataset = {"role": "train_untranscribed", "language": "ru", "corpus": "table"}
    raw["datasets"] += [dataset, {**dataset, "name": "hers", "stream": "hers"}]
    raw["systems"]["student"] = {"layers": [4], "share": "all", "teacher": "plain"}
    return lambda **train: Experiment(read(raw | {"train": train}), layout)


def tables(layout, key):
    return [
        read_text_table(layout.transcript("student", key, kind))
        for kind in ("words", "phones", "confidence")
    ]


def excluded(layout):
    with layout.transcripts_excluded("student").open(encoding="utf-8", newline="") as file:
        return {row["utterance"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_what_is_sure_is_kept_and_the_rest_is_in_the_ledger(experiment, caplog):
    caplog.set_level("INFO", "cascade")
    one = experiment(min_confidence=0.8)
    transcripts.transcribe(one, "student", 2)
    words, phones, confidences = tables(one.layout, KEY)
    # Of two pronunciations, that of the path.
    assert words == {"clear": ["кот", "атта"], "twice": ["сок", "сок"]}
    assert phones == {"clear": [*"katatta"], "twice": [*"soksok"]}
    assert [*words] == [*phones] == ["clear", "twice"]
    assert [*confidences] == sorted(SPOKEN)
    sure = {name: float(value) for name, (value,) in confidences.items()}
    assert sure["empty"] == 0 < sure["torn"] < 0.8 < min(sure["clear"], sure["twice"]) <= 1
    rows = excluded(one.layout)
    assert rows["empty"]["reason"] == "no word was recognised"
    assert rows["torn"]["reason"] == (
        f"the mean confidence {confidences['torn'][0]} is below train.min_confidence: 0.8"
    )
    assert {(row["dataset"], row["seconds"], row["kind"]) for row in rows.values()} == {
        (KEY, "1.20", "selection")
    }
    assert len(rows) == 2
    assert "student: 0.1 of 0.1 minutes transcribed by plain are kept" in caplog.text
    assert tables(one.layout, OTHER)[0] == {"clear": ["кот", "атта"]}


def test_a_lower_confidence_keeps_more(experiment):
    one = experiment(min_confidence=0)
    transcripts.transcribe(one, "student", 1)
    words, *_ = tables(one.layout, KEY)
    assert [*words] == ["clear", "torn", "twice"] and [*excluded(one.layout)] == ["empty"]


@pytest.mark.parametrize("experiment", [["torn", "empty"]], indirect=True)
def test_a_stream_of_which_nothing_is_kept_stops_the_run(experiment):
    one = experiment(min_confidence=0.95)  # the most that a recipe may ask for
    with pytest.raises(UserError, match=r"min_confidence: 0\.95 leaves nothing of stream 'hers'"):
        transcripts.transcribe(one, "student", 1)
    assert [*tables(one.layout, KEY)[0]] == ["clear", "twice"]
    assert {row["dataset"] for row in excluded(one.layout).values()} == {OTHER}
