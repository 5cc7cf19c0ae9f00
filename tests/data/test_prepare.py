import csv
import hashlib
import logging
import unicodedata

import numpy as np
import pytest
import soundfile
from lhotse import CutSet, MultiCut, RecordingSet, SupervisionSet

from cascade.config.experiment import Experiment
from cascade.corpora import corpus
from cascade.data.prepare import prepare
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_jsonl_gz
from cascade.runtime.stamp import Sources, digest


def ledger(layout):
    with layout.excluded.open(encoding="utf-8", newline="") as file:
        return {row["utterance"]: row for row in csv.DictReader(file, delimiter="\t")}


def add(folder, *fields):
    """Adds a row to a table: path, text, speaker, start, end."""
    with (folder / "table.tsv").open("a", encoding="utf-8") as table:
        table.write("\t".join([*fields, *[""] * (5 - len(fields))]) + "\n")


def ids(layout, key):
    return [cut.id for cut in CutSet.from_file(layout.cuts(key))]


def manifests(layout):
    """Every file that stage 0 wrote, by name."""
    files = [layout.excluded, *(layout.root / "manifests").iterdir()]
    return {file.name: file.read_bytes() for file in files}


def test_manifests_read_with_lhotse(small, read, tmp_path):
    raw, layout = small
    sources = prepare(Experiment(read(raw), layout), 1)
    cuts = CutSet.from_file(layout.cuts("train_ru"))
    assert [cut.id for cut in cuts] == ["train0", "train1", "train2"]
    for i, cut in enumerate(cuts):
        assert (cut.start, cut.duration, cut.sampling_rate) == (0, 0.5, 16000)
        (supervision,) = cut.supervisions
        assert supervision.text == ["да", "о нет", "ёж"][i]
        assert (supervision.language, supervision.speaker) == ("ru", f"s{i % 2}")
        assert supervision.id == supervision.recording_id == cut.id
        samples, _ = soundfile.read(tmp_path / "train" / f"train{i}.wav", dtype="float32")
        np.testing.assert_array_equal(cut.load_audio(), samples[None])
    assert [c.supervisions[0].text for c in CutSet.from_file(layout.cuts("train_ext_en"))] == [
        "yes",
        "oh no",
        "it's",
    ]
    recordings = RecordingSet.from_file(layout.recordings("valid_ru"))
    assert [recording.num_samples for recording in recordings] == [8000] * 3
    supervisions = SupervisionSet.from_file(layout.supervisions("valid_ru"))
    assert [s.text for s in supervisions] == ["да", "о нет", "ёж"]
    files = sorted(tmp_path.glob("t*/*")) + sorted(tmp_path.glob("valid/*"))
    recordings = [path for path, known in Sources.read(sources.sources) if known == digest(path)]
    assert set(sources.inputs) | set(recordings) == set(files)  # every recording and table
    assert ledger(layout) == {}


def speech(layout, key):
    return list(read_jsonl_gz(layout.speech(key)))


def test_what_features_are_made_of(small, read, tmp_path):
    raw, layout = small
    prepare(Experiment(read(raw), layout), 1)
    rows = speech(layout, "test_ru")
    assert [row["id"] for row in rows] == ids(layout, "test_ru") == ["test0", "test1", "test2"]
    for row, path in zip(rows, sorted((tmp_path / "test").glob("*.wav")), strict=True):
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert row["audio"] == str(path)
        assert (row["start"], row["duration"], row["channel"]) == (0, 0.5, 0)


def test_every_fault_is_in_the_ledger(small, read, wav, tmp_path, caplog):
    raw, layout = small
    folder = tmp_path / "train"
    wav(folder / "good.wav", seconds=1)
    wav(folder / "short.wav", seconds=0.1)
    wav(folder / "long.wav", seconds=3)
    half = wav(folder / "half.wav")
    half.write_bytes(half.read_bytes()[:8000])
    (folder / "empty.wav").touch()
    reasons = {
        "gone": ("да", "", "", "is missing", ""),
        "half": ("да", "", "", "truncated: 8044 bytes are missing", ""),
        "empty": ("да", "", "", "cannot be read", ""),
        "good-0000500-0001600": ("да", "0.5", "1.6", "0.5 to 1.6 s is not inside", None),
        "short": ("да", "", "", "0.10 s is not within the recipe's 0.2 to 2.0 s", "0.10"),
        "long": ("да", "", "", "3.00 s is not within", "3.00"),
        "mute": ("", "", "", "the transcript is empty", "0.50"),
        "dots": ("...", "", "", "the transcript is empty", "0.50"),
        "latin": ("дa", "", "", "'a' (latin small letter a)", "0.50"),
        "digits": (
            "дом 5",
            "",
            "",
            "digits in '5': write numbers as words, or 'numbers: words' in the data set",
            "0.50",
        ),
    }
    for name in ("mute", "dots", "latin", "digits"):
        wav(folder / f"{name}.wav")
    for name, (text, start, end, _, _) in reasons.items():
        add(folder, f"{name.partition('-')[0]}.wav", text, "", start, end)
    raw["limits"] = {"max_excluded": "80%", "max_seconds": 2.0}
    with caplog.at_level(logging.INFO, "cascade"):
        prepare(Experiment(read(raw), layout), 1)
    rows = ledger(layout)
    assert set(rows) == set(reasons)
    for name, (*_, reason, seconds) in reasons.items():
        row = rows[name]
        assert reason in row["reason"]
        assert (row["dataset"], row["kind"]) == ("train_ru", "fault")
        assert seconds is None or row["seconds"] == seconds
    assert ids(layout, "train_ru") == ["train0", "train1", "train2"]


def test_ten_faults_are_printed_and_all_counted(small, read, tmp_path, caplog):
    raw, layout = small
    for number in range(12):
        add(tmp_path / "train", f"none{number}.wav", "да")
    prepare(Experiment(read(raw, {"limits.max_excluded": "90%"}), layout), 1)
    assert caplog.text.count("left out: none") == 10
    assert "and 2 more, see excluded.tsv" in caplog.text


def test_any_rate_and_any_channels(small, read, wav, tmp_path, caplog):
    raw, layout = small
    folder = tmp_path / "train"
    for name, rate, channels in (("slow", 8000, 1), ("cd", 44100, 2), ("studio", 48000, 1)):
        wav(folder / f"{name}.wav", seconds=1, rate=rate, channels=channels)
        add(folder, f"{name}.wav", "да")
    prepare(Experiment(read(raw), layout), 1)
    cuts = {cut.id: cut for cut in CutSet.from_file(layout.cuts("train_ru"))}
    for name in ("slow", "cd", "studio"):
        cut = cuts[name]
        assert (cut.sampling_rate, cut.num_samples) == (16000, 16000)
        assert cut.load_audio().shape == (cut.num_channels, 16000)
    assert isinstance(cuts["cd"], MultiCut) and cuts["cd"].channel == [0, 1]
    assert cuts["cd"].supervisions[0].text == "да"
    assert (
        "1 of 2 channels: the mean of the channels is used. In the recipe's data set, 'channel: 0'"
        in caplog.text
    )


@pytest.mark.parametrize(("channel", "warned"), [("1", False), ("mix", False), (None, True)])
def test_the_channel_of_a_data_set(small, read, tmp_path, caplog, channel, warned):
    raw, layout = small
    raw["datasets"][3]["channel"] = channel
    for path in (tmp_path / "test").glob("*.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(path, np.stack([samples, 0.5 * samples], axis=1), rate)
    prepare(Experiment(read(raw), layout), 1)
    cut = next(iter(CutSet.from_file(layout.cuts("test_ru"))))
    assert cut.channel == (1 if channel == "1" else [0, 1])
    assert speech(layout, "test_ru")[0]["channel"] == (1 if channel == "1" else None)
    assert ("the mean of the channels is used" in caplog.text) == warned


def test_a_channel_that_a_recording_lacks(small, read):
    raw, layout = small
    raw["datasets"][3]["channel"] = 1
    with pytest.raises(UserError, match="no utterance of corpus 'table' is usable"):
        prepare(Experiment(read(raw), layout), 1)
    assert "has 1 channel: there is no channel 1" in ledger(layout)["test0"]["reason"]


def test_over_the_limit_stops_after_everything_was_checked(small, read, tmp_path, caplog):
    raw, layout = small
    for role in ("train", "test"):
        (tmp_path / role / f"{role}1.wav").unlink()
    with pytest.raises(UserError) as caught:
        prepare(Experiment(read(raw), layout), 1)
    message = str(caught.value)
    assert "train_ru: 1 of 3 utterances fail the checks" in message
    assert "test_ru: 1 of 3" in message and "valid_ru" not in message
    assert "limits.max_excluded: 5%" in message
    assert set(ledger(layout)) == {"train1", "test1"}
    assert "train1" in caplog.text and "test1" in caplog.text


def test_the_limit_itself_passes(small, read, tmp_path):
    raw, layout = small
    (tmp_path / "train" / "train1.wav").unlink()
    prepare(Experiment(read(raw, {"limits.max_excluded": "0.34"}), layout), 1)
    assert ids(layout, "train_ru") == ["train0", "train2"]


def test_an_unusable_data_set_stops_the_run_at_any_limit(small, read, tmp_path):
    raw, layout = small
    for file in (tmp_path / "valid").glob("*.wav"):
        file.unlink()
    with pytest.raises(UserError, match="valid_ru: no utterance of corpus 'table' is usable"):
        prepare(Experiment(read(raw, {"limits.max_excluded": "100%"}), layout), 1)


def test_segments_of_one_recording(small, read, wav, tmp_path):
    raw, layout = small
    folder = tmp_path / "test"
    complete, _ = soundfile.read(wav(folder / "tape.wav", seconds=2), dtype="float32")
    with (folder / "table.tsv").open("w", encoding="utf-8") as table:
        table.write(
            "id\tpath\ttext\tstart\tend\na\ttape.wav\tда\t0\t0.75\nb\ttape.wav\tнет\t0.75\t"
        )
    raw["datasets"][3]["path"] = str(folder / "table.tsv")
    prepare(Experiment(read(raw), layout), 1)
    first, second = CutSet.from_file(layout.cuts("test_ru"))
    np.testing.assert_array_equal(first.load_audio()[0], complete[:12000])
    np.testing.assert_array_equal(second.load_audio()[0], complete[12000:])
    (recording,) = RecordingSet.from_file(layout.recordings("test_ru"))
    assert recording.num_samples == 32000
    supervisions = list(SupervisionSet.from_file(layout.supervisions("test_ru")))
    assert [(s.id, s.start, s.duration) for s in supervisions] == [
        ("a", 0, 0.75),
        ("b", 0.75, 1.25),
    ]


def test_an_end_that_was_rounded_up_is_the_recordings_end(small, read, wav, tmp_path):
    raw, layout = small
    wav(tmp_path / "test" / "t.wav", seconds=0.995)
    add(tmp_path / "test", "t.wav", "да", "", "0.5", "1.0")
    prepare(Experiment(read(raw), layout), 1)
    assert list(CutSet.from_file(layout.cuts("test_ru")))[-1].duration == 0.495


def test_a_recording_to_train_and_to_test_on(small, read, tmp_path):
    raw, layout = small
    add(tmp_path / "test", str(tmp_path / "train" / "train1.wav"), "да")
    with pytest.raises(UserError, match="both in train_ru and test_ru"):
        prepare(Experiment(read(raw), layout), 1)


def test_a_split_by_speakers_who_are_not_known(small, read, wav, tmp_path, caplog):
    raw, layout = small
    caplog.set_level(logging.WARNING)
    raw["datasets"][0]["split"] = {"between": [0, 100]}
    prepare(Experiment(read(raw), layout), 1)
    assert "unknown speakers" not in caplog.text
    wav(tmp_path / "train" / "more.wav", seed=9)
    add(tmp_path / "train", "more.wav", "о да")
    prepare(Experiment(read(raw), layout), 1)
    assert "1 of them by unknown speakers: 'split' divides them by utterance" in caplog.text
    caplog.clear()
    raw["datasets"][0]["split"]["by"] = "utterance"
    prepare(Experiment(read(raw), layout), 1)
    assert "unknown speakers" not in caplog.text


def test_the_same_file_name_in_two_folders_is_no_mistake(small, read, wav, tmp_path):
    raw, layout = small
    wav(tmp_path / "test" / "train1.wav", seed=99)
    add(tmp_path / "test", "train1.wav", "да")
    prepare(Experiment(read(raw), layout), 1)
    assert "train1" in [cut.id for cut in CutSet.from_file(layout.cuts("test_ru"))]


def test_a_table_that_is_not_there(small, read, tmp_path):
    raw, layout = small
    raw["datasets"][2]["path"] = str(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"no table or folder .*nowhere"):
        prepare(Experiment(read(raw), layout), 1)


@pytest.mark.parametrize(
    ("last", "message"),
    [(b"c4.mp3\t\xe4\xf0\n", "is not UTF-8: line 5, byte 72"), (b"c1.mp3\tyes\n", "'c1' twice")],
)
def test_the_last_line_of_a_list_is_read_before_the_first_recording(
    small, read, tmp_path, monkeypatch, last, message
):
    raw, layout = small
    folder = tmp_path / "cv"
    (folder / "clips").mkdir(parents=True)
    lines = "".join(f"x\tc{n}.mp3\tyes\n" for n in range(3)).encode()
    (folder / "validated.tsv").write_bytes(b"client_id\tpath\tsentence\n" + lines + b"x\t" + last)
    raw["datasets"].append(
        {"role": "test", "language": "ru", "corpus": "commonvoice", "path": str(folder)}
    )
    monkeypatch.setattr("cascade.data.prepare.check_utterances", lambda *args: pytest.fail("read"))
    with pytest.raises(UserError, match=message):
        prepare(Experiment(read(raw), layout), 1)


def test_an_unknown_corpus_and_an_unknown_part(small, read):
    raw, layout = small
    raw["datasets"][0]["part"] = "train"
    with pytest.raises(UserError, match="'table' has no part 'train'"):
        prepare(Experiment(read(raw), layout), 1)
    raw["datasets"][0]["corpus"] = "tabel"
    with pytest.raises(UserError, match=r"Unknown corpus 'tabel'\. Known: .*\btable"):
        prepare(Experiment(read(raw), layout), 1)


@pytest.fixture
def minutes(small, read, listed):
    """The ids that a number of target minutes gives, of 40 recordings of 1 to 4 s."""
    raw, layout = small
    seconds = [1 + 3 * (i * 7 % 40) / 40 for i in range(40)]
    raw["datasets"][0]["path"] = str(listed("many", ["да"] * 40, seconds))

    def minutes(number, seed=0, **limits):
        recipe = read(raw | {"limits": limits}, {"target_minutes": str(number), "seed": str(seed)})
        prepare(Experiment(recipe, layout), 1)
        return ids(layout, "train_ru"), layout

    return minutes


def test_target_minutes_are_nested(minutes):
    everything, _ = minutes("all")
    assert everything == [f"many{i}" for i in range(40)]
    half, _ = minutes(0.5)
    one, layout = minutes(1)
    assert set(half) < set(one) < set(everything)
    cuts = list(CutSet.from_file(layout.cuts("train_ru")))
    longest = max(cut.duration for cut in cuts)
    assert 60 <= sum(cut.duration for cut in cuts) < 60 + longest
    spared = ledger(layout)
    assert set(spared) == set(everything) - set(one)
    assert {row["kind"] for row in spared.values()} == {"selection"}
    assert {row["reason"] for row in spared.values()} == {"beyond target_minutes: 1"}
    assert ids(layout, "valid_ru") == ["valid0", "valid1", "valid2"]  # the others are not shortened
    other_seed, _ = minutes(1, seed=1)
    assert set(other_seed) != set(one)


def test_target_minutes_are_those_of_all_training_sets_together(small, read, listed):
    raw, layout = small
    raw["datasets"][0]["path"] = str(listed("many", ["да"] * 40, [2.0] * 40))
    second = {
        **raw["datasets"][0],
        "name": "second",
        "path": str(listed("second", ["да"] * 20, [2.0] * 20)),
    }
    raw["datasets"].append(second)

    def chosen(minutes):
        prepare(Experiment(read(raw, {"target_minutes": minutes}), layout), 1)
        return [ids(layout, f"train_ru_{name}") for name in ("table", "second")]

    both = chosen("1")
    assert all(both) and sum(map(len, both)) == 30  # of 2 s
    halved = chosen("0.5")
    assert sum(map(len, halved)) == 15
    assert all(set(half) < set(full) for half, full in zip(halved, both, strict=True))
    with pytest.raises(UserError, match=r"target_minutes: 0\.03 leaves no utterance of it"):
        chosen("0.03")


def test_features_are_made_of_more_than_is_chosen(minutes):
    _, layout = minutes("all")
    everything = layout.speech("train_ru").read_bytes()
    half, layout = minutes(0.5)
    assert layout.speech("train_ru").read_bytes() == everything
    assert ids(layout, "train_ru") == half and len(half) < 40


def test_more_minutes_than_there_are(minutes, caplog):
    chosen, _ = minutes(60)
    assert len(chosen) == 40
    assert "target_minutes: 60, but there are only 1.6 minutes" in caplog.text


def test_faults_are_a_share_of_all_utterances_not_of_the_chosen_ones(minutes, tmp_path):
    for i in (3, 4):
        (tmp_path / "many" / f"many{i}.wav").unlink()
    chosen, layout = minutes(0.1, max_excluded="5%")  # two of forty fail, few are wanted
    assert len(chosen) < 8
    assert sum(row["kind"] == "fault" for row in ledger(layout).values()) == 2


def test_the_same_bytes_whatever_the_number_of_jobs(small, read, tmp_path):
    raw, layout = small
    (tmp_path / "train" / "train1.wav").unlink()
    recipe = read(raw, {"limits.max_excluded": "40%", "target_minutes": "0.01"})
    prepare(Experiment(recipe, layout), 1)
    first = manifests(layout)
    assert len(first) == 1 + 4 * 4  # of them the list that features are made of
    prepare(Experiment(recipe, layout), 3)
    assert manifests(layout) == first


def test_synthetic_speech_reads_no_sentence_of_a_valid_or_test_set(
    small, read, monkeypatch, caplog, listed
):
    raw, layout = small
    train, ext, valid, test = raw["datasets"]
    train["path"] = str(listed("spoken", ["да", "О, нет!", "кот", "ёж и кот"]))
    valid["path"] = str(listed("shown", ["да", "кто"]))
    test["path"] = str(listed("asked", ["о нет", "ёж"]))
    ext |= {"language": "en"}  # of another language: the same letters say nothing
    experiment = Experiment(read(raw), layout)
    prepare(experiment, 1)
    assert ids(layout, "train_ru") == ["spoken0", "spoken1", "spoken2", "spoken3"]  # recorded
    warning = "the same sentence as one of the training"
    assert f"test_ru: asked0 is {warning}" in caplog.text
    caplog.clear()
    monkeypatch.setattr(corpus, "synthetic", lambda name: True)
    with caplog.at_level(logging.INFO, "cascade"):
        prepare(experiment, 1)
    assert ids(layout, "train_ru") == ["spoken2", "spoken3"]
    assert {name: row["reason"] for name, row in ledger(layout).items()} == {
        "spoken0": "the same sentence as one of valid_ru",
        "spoken1": "the same sentence as one of test_ru",
    }
    assert {row["kind"] for row in ledger(layout).values()} == {"selection"}
    assert len(ids(layout, "train_ext_en")) == 3
    assert warning not in caplog.text
    assert "not selected: 1, the same sentence as one of test_ru" in caplog.text


def test_synthetic_speech_of_a_test_set_is_kept(small, read, monkeypatch, listed):
    raw, layout = small
    raw["datasets"][0]["path"] = str(listed("spoken", ["да", "кот"]))
    monkeypatch.setattr(corpus, "synthetic", lambda name: True)
    prepare(Experiment(read(raw), layout), 1)
    assert ids(layout, "train_ru") == ["spoken1"]
    assert len(ids(layout, "valid_ru")) == len(ids(layout, "test_ru")) == 3


def test_the_corpus_is_asked_for_what_the_data_set_says(small, read, monkeypatch):
    raw, layout = small
    raw["datasets"][0] |= {"voices": "borrowed", "speakers": 2, "minutes": 3}
    raw["languages"]["ru"]["texts"] = ["texts_ru"]
    asked = {}
    listing = corpus.listing

    def recorded(name, request):
        asked.setdefault(request.language, request)
        return listing(name, request)

    monkeypatch.setattr(corpus, "listing", recorded)
    prepare(Experiment(read(raw), layout), 1)
    assert asked["ru"].options == {"voices": "borrowed", "speakers": 2, "minutes": 3.0}
    reading = asked["ru"].reading
    assert (reading.voice, reading.texts) == ("ru", ("texts_ru",))
    assert reading.words("Да, о НЕТ!") == ("да", "о", "нет") and reading.words("да yes") == ()
    assert asked["en"].options == {} and asked["en"].reading.voice == "en-us"


def test_a_recording_whose_name_the_table_writes_in_another_form(small, read, tmp_path):
    raw, layout = small
    old = next((tmp_path / "train").glob("train0.wav"))
    old.rename(old.with_name(unicodedata.normalize("NFD", "й.wav")))
    table = tmp_path / "train" / "table.tsv"
    table.write_text(
        table.read_text(encoding="utf-8").replace("train0.wav", "й.wav"), encoding="utf-8"
    )
    prepare(Experiment(read(raw), layout), 1)
    assert "й" in {unicodedata.normalize("NFC", name) for name in ids(layout, "train_ru")}
