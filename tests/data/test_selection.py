import csv
import re
from collections import Counter

import pytest
from lhotse import CutSet

from cascade.config.experiment import Experiment
from cascade.data.prepare import prepare
from cascade.runtime.errors import UserError


@pytest.fixture
def limited(small, read, listed):
    """The ids by speaker that a limit for speakers leaves of 40 recordings, and the layout.

    s0 speaks the even ones, s1 the odd ones, each for 40 s; 38 and 39 are of nobody.
    """
    raw, layout = small
    folder = listed("many", ["да"] * 40, [1 + i // 2 % 3 for i in range(38)] + [2, 2])
    table = folder / "table.tsv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[39:] = [line.replace("\ts0\t", "\t\t").replace("\ts1\t", "\t\t") for line in lines[39:]]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    raw["datasets"][0]["path"] = str(folder)

    def limited(minutes, **overrides):
        raw["datasets"][0]["max_minutes_per_speaker"] = minutes
        prepare(Experiment(read(raw, overrides), layout), 1)
        durations = {"s0": {}, "s1": {}, "unknown": {}}
        for cut in CutSet.from_file(layout.cuts("train_ru")):
            durations[cut.supervisions[0].speaker][cut.id] = cut.duration
        return durations, layout

    return limited


def ledger(layout):
    with layout.excluded.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_limit_for_each_speaker(limited, caplog):
    caplog.set_level("INFO", "cascade")
    everything, layout = limited(None)
    assert sum("2 of them by unknown speakers" in line for line in caplog.messages) == 1
    assert [len(them) for them in everything.values()] == [19, 19, 2] and not ledger(layout)
    few, layout = limited(0.25)
    rows = ledger(layout)
    assert {(row["reason"], row["kind"]) for row in rows} == {
        ("beyond max_minutes_per_speaker: 0.25", "selection")
    }
    ids = {identifier for them in everything.values() for identifier in them}
    assert Counter(row["utterance"] for row in rows) == Counter(
        ids - {identifier for them in few.values() for identifier in them}
    )
    more, _ = limited(0.5)
    for speaker in ("s0", "s1"):
        assert 12 < sum(few[speaker].values()) <= 15 and 27 < sum(more[speaker].values()) <= 30
        assert set(few[speaker]) < set(more[speaker])
        assert list(few[speaker]) != list(everything[speaker])[: len(few[speaker])]  # a hash
    assert few["unknown"] == everything["unknown"]
    assert limited(0.25, seed="1")[0] == few  # whatever the seed


def test_a_limit_for_speakers_comes_before_target_minutes(limited):
    few, _ = limited(0.25)
    fewer, layout = limited(0.25, target_minutes="0.2")
    reasons = Counter(row["reason"].partition(":")[0] for row in ledger(layout))
    assert set(reasons) == {"beyond max_minutes_per_speaker", "beyond target_minutes"}
    assert sum(map(len, fewer.values())) + sum(reasons.values()) == 40
    assert all(set(fewer[speaker]) <= set(few[speaker]) for speaker in few)


def test_a_limit_below_every_utterance(small, read, listed):
    raw, layout = small
    raw["datasets"][0] |= {
        "path": str(listed("long", ["да", "нет"], 1.0)),
        "max_minutes_per_speaker": 0.015,
    }
    error = (
        r"train_ru: max_minutes_per_speaker: 0\.015 leaves no utterance of it\. Use more minutes"
    )
    with pytest.raises(UserError, match=error):
        prepare(Experiment(read(raw), layout), 1)


def test_faults_are_a_share_of_all_utterances_not_of_those_within_the_limit(limited, tmp_path):
    (tmp_path / "many" / "many3.wav").unlink()
    few, layout = limited(0.02, **{"limits.max_excluded": "5%"})  # one of forty fails
    assert sum(map(len, few.values())) < 8
    assert sum(row["kind"] == "fault" for row in ledger(layout)) == 1


def test_a_limit_of_nothing(raw, read):
    raw["datasets"][0]["max_minutes_per_speaker"] = 0
    with pytest.raises(UserError, match=r"max_minutes_per_speaker' must be at least 0\.01, not 0"):
        read(raw)


@pytest.fixture
def untranscribed(small, read, listed):
    """Stage 0 with untranscribed speech in the recipe's order first: cuts, ledger, layout.

    It has the 12 recordings of train, of which ``minutes`` are transcribed.
    """
    raw, layout = small
    folder = str(listed("all", ["да"] * 12, 1.0))
    raw["datasets"][0]["path"] = folder
    heard = {"role": "train_untranscribed", "language": "ru", "corpus": "table", "path": folder}
    raw["datasets"].insert(0, heard)

    def untranscribed(minutes, **changes):
        heard.update(changes)
        prepare(Experiment(read(raw, {"target_minutes": str(minutes)}), layout), 1)
        keys = ("train_ru", "train_untranscribed_ru")
        return [list(CutSet.from_file(layout.cuts(key))) for key in keys], layout

    return untranscribed


def test_untranscribed_speech_is_what_the_training_does_not_have(untranscribed):
    (train, rest), layout = untranscribed(0.05)
    assert len(train) == 3
    names = [cut.id for cut in (*train, *rest)]
    assert sorted(names) == sorted(f"all{n}" for n in range(12))
    rows = [row for row in ledger(layout) if row["dataset"] == "train_untranscribed_ru"]
    assert {row["utterance"] for row in rows} == {cut.id for cut in train}
    assert {(row["reason"], row["kind"]) for row in rows} == {
        ("its recording is in another data set", "selection")
    }
    # Features are made of all of it, so that other minutes find them, too.
    speech = layout.speech("train_untranscribed_ru").read_bytes()
    assert speech == layout.speech("train_ru").read_bytes()
    (train, rest), layout = untranscribed(0.15)
    assert (len(train), len(rest)) == (9, 3)
    assert layout.speech("train_untranscribed_ru").read_bytes() == speech


def test_no_transcript_of_untranscribed_speech_is_kept(untranscribed, tmp_path, caplog):
    caplog.set_level("WARNING", "cascade")
    (_, before), layout = untranscribed(0.05)
    odd = ["", "5 Latin Wörter", "<unk>", "xyz"] * 3
    lines = ["path\ttext\tspeaker", *(f"all{n}.wav\t{odd[n]}\ts0" for n in range(12))]
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "table.tsv").write_text("\n".join(lines).replace("all", "../all/all"))
    (_, rest), layout = untranscribed(0.05, path=str(tmp_path / "odd"))
    assert len(rest) == 9
    assert [cut.duration for cut in rest] == [cut.duration for cut in before]
    assert {cut.supervisions[0].text for cut in (*before, *rest)} == {""}
    assert not [row for row in ledger(layout) if row["kind"] == "fault"]
    assert "untranscribed" not in caplog.text


def test_a_limit_for_speakers_is_for_what_is_left_of_untranscribed_speech(untranscribed):
    (train, rest), layout = untranscribed(0.05, max_minutes_per_speaker=0.034)
    assert len(train) == 3 and len(rest) == 4  # two of each speaker
    reasons = Counter(
        row["reason"] for row in ledger(layout) if row["dataset"] == "train_untranscribed_ru"
    )
    assert reasons == {
        "its recording is in another data set": 3,
        "beyond max_minutes_per_speaker: 0.034": 5,
    }


def test_untranscribed_speech_of_which_nothing_is_left(untranscribed):
    with pytest.raises(UserError, match=r"train_untranscribed_ru: no recording is left\. Other"):
        untranscribed("all")


def test_what_a_program_speaks_is_not_untranscribed(untranscribed):
    with pytest.raises(UserError, match="train_untranscribed_ru: a program speaks corpus 'voices'"):
        untranscribed(1, corpus="voices")


def test_adaptation_needs_the_names_of_speakers(small, read, listed):
    raw, layout = small
    folder = listed("anonymous", ["да", "нет"], 1.0)
    table = folder / "table.tsv"
    text = table.read_text(encoding="utf-8")
    test = next(dataset for dataset in raw["datasets"] if dataset["role"] == "test")
    test |= {"path": str(folder), "adapt": "speaker"}
    prepare(Experiment(read(raw), layout), 1)
    table.write_text(re.sub(r"\ts1\t", "\t\t", text), encoding="utf-8")
    with pytest.raises(UserError, match=r"test_ru: 'adapt: speaker' needs .* 1 of 2 have none"):
        prepare(Experiment(read(raw), layout), 1)
