import json

import numpy as np
import pytest
import soundfile
from lhotse import CutSet, MonoCut, MultiCut, Recording, SupervisionSegment
from lhotse.utils import fastcopy

from cascade.corpora.corpus import Excluded, Utterance
from cascade.runtime.errors import UserError


@pytest.fixture
def lhotse_cuts(tmp_path, tone):
    """Cuts of a stereo recording at 22.05 kHz: one whole, one with two supervisions."""
    samples = np.stack([tone(22050, 4), tone(22050, 4, hz=660)], axis=1)
    soundfile.write(tmp_path / "tape.flac", samples, 22050)
    recording = Recording.from_file(tmp_path / "tape.flac", recording_id="tape")

    def supervision(name, start, text, channel):
        return SupervisionSegment(
            name, "tape", start, 1.0, channel, text=text, speaker=f"s{channel}", language="ru"
        )

    return CutSet.from_cuts(
        [
            MonoCut("c1", 0.5, 1.0, 0, [supervision("u1", 0.0, "да", 0)], recording=recording),
            MonoCut(
                "c2",
                1.0,
                3.0,
                1,
                [supervision("u2", 0.5, "нет", 1), supervision("u3", 1.5, "ёж", 1)],
                recording=recording,
            ),
            MonoCut("c3", 0.0, 1.0, 0, [], recording=recording),
        ]
    )


def test_numbers_as_names_and_as_text(tmp_path, lhotse_cuts, listing):
    rows = [cut.to_dict() for cut in lhotse_cuts if cut.id == "c1"]
    rows[0]["id"] = 7
    rows[0]["supervisions"][0] |= {"speaker": 0, "text": 1234}
    rows.append({**rows[0], "id": 8, "supervisions": []})
    (tmp_path / "cuts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    item, none = listing("lhotse", tmp_path)
    assert (item.id, item.speaker, item.text) == ("7", "0", "1234")
    assert isinstance(none, Excluded) and none.id == "8"


@pytest.mark.parametrize("name", ["cuts.jsonl", "my_cuts_train.jsonl.gz"])
def test_lhotse(tmp_path, lhotse_cuts, name, listing, heard):
    folder = tmp_path / "manifests"
    folder.mkdir()
    lhotse_cuts.to_file(folder / name)
    first, second, third, none = listing("lhotse", folder)
    assert (first.id, first.start, first.end, first.channel) == ("c1", 0.5, 1.5, 0)
    heard(first)
    assert [(u.id, u.text, u.speaker, u.start, u.end) for u in (second, third)] == [
        ("u2", "нет", "s1", 1.5, 2.5),
        ("u3", "ёж", "s1", 2.5, 3.5),
    ]
    heard(third, hz=660)
    assert none == Excluded("c3", "the cut has no supervision", 1.0, selection=True)
    assert listing("lhotse", folder / name)[0] == first


def test_lhotse_relative_paths(tmp_path, lhotse_cuts, listing, heard):
    lhotse_cuts.to_file(tmp_path / "cuts.jsonl")
    content = (tmp_path / "cuts.jsonl").read_text().replace(f"{tmp_path}/", "")
    (tmp_path / "cuts.jsonl").write_text(content)
    heard(listing("lhotse", tmp_path)[0])


def test_lhotse_paths_of_where_a_recipe_runs(tmp_path, lhotse_cuts, listing, put, heard):
    manifest = tmp_path / "asr/data/fbank/ru_cuts_train.jsonl"
    lhotse_cuts.to_file(tmp_path / "cuts.jsonl")
    content = (tmp_path / "cuts.jsonl").read_text().replace(f"{tmp_path}/", "download/")
    put(manifest, content)
    (tmp_path / "asr/download").mkdir()
    (tmp_path / "tape.flac").rename(tmp_path / "asr/download/tape.flac")
    heard(listing("lhotse", manifest)[0])


def test_lhotse_windows_do_not_have_their_whole_text(tmp_path, lhotse_cuts, listing):
    windows = lhotse_cuts.subset(cut_ids=["c1"]).cut_into_windows(0.5)
    windows.to_file(tmp_path / "cuts.jsonl")
    first, second = listing("lhotse", tmp_path)
    assert "0.50 s of it are outside of its cut" in first.reason
    assert "0.50 s of it are outside of its cut" in second.reason


def test_lhotse_cuts_that_have_pieces_of_their_neighbours(tmp_path, listing, tone):
    soundfile.write(tmp_path / "tape.wav", tone(16000, 3.0), 16000)
    tape = Recording.from_file(tmp_path / "tape.wav", recording_id="tape")
    spans = {"a": (0.0, 2.0), "b": (1.0, 1.8)}  # start and duration: they overlap
    supervisions = [SupervisionSegment(n, "tape", *span, text=n) for n, span in spans.items()]
    whole = CutSet.from_cuts([MonoCut("whole", 0.0, 3.0, 0, supervisions, recording=tape)])
    whole.trim_to_supervisions().to_file(tmp_path / "cuts.jsonl")  # keeps what overlaps
    (tmp_path / "._cuts.jsonl").write_bytes(b"\0\5\x16\7")
    items = listing("lhotse", tmp_path)
    kept = {u.id: (u.start, u.end) for u in items if isinstance(u, Utterance)}
    assert kept == {"a": (0.0, 2.0), "b": (1.0, 2.8)}
    pieces = [u for u in items if isinstance(u, Excluded)]
    assert len(pieces) == 2 and len({u.id for u in items}) == 4
    assert all("outside of its cut" in piece.reason for piece in pieces)


def test_lhotse_parts_are_no_shards(tmp_path, lhotse_cuts, listing):
    for part in ("train", "test"):
        lhotse_cuts.to_file(tmp_path / f"cuts.{part}.jsonl.gz")
    with pytest.raises(
        UserError, match=r"its manifests: cuts\.test\.jsonl\.gz, cuts\.train\.jsonl\.gz\. Name"
    ):
        listing("lhotse", tmp_path)


def test_lhotse_some_channels_of_more(tmp_path, listing, tone):
    soundfile.write(tmp_path / "four.wav", np.stack([tone(16000)] * 4, axis=1), 16000)
    recording = Recording.from_file(tmp_path / "four.wav", recording_id="four")
    cuts = []
    for name, channels in (("some", [0, 1]), ("all", [0, 1, 2, 3]), ("none", [0, 7])):
        supervision = SupervisionSegment(name, "four", 0.0, 1.0, channels, text="да")
        cuts.append(MultiCut(name, 0.0, 1.0, channels, [supervision], recording=recording))
    CutSet.from_cuts(cuts).to_file(tmp_path / "cuts.jsonl")
    some, every, none = listing("lhotse", tmp_path)
    assert some.reason == "it has channels [0, 1] of 4: make cuts of one, or of all"
    assert isinstance(every, Utterance) and every.channel is None
    assert none.reason == "its channels [0, 7] are not in one file: make cuts of one of them"


def test_lhotse_shar(tmp_path, lhotse_cuts, listing, heard):
    mono = lhotse_cuts.subset(first=2).resample(16000)
    (tmp_path / "shar").mkdir()
    mono.to_shar(tmp_path / "shar", fields={"recording": "flac"}, shard_size=1)
    utterances = listing("lhotse", tmp_path / "shar")
    assert [(u.id, u.text) for u in utterances] == [("c1", "да"), ("u2", "нет"), ("u3", "ёж")]
    heard(utterances[0])
    heard(utterances[2], hz=660)
    assert listing("lhotse", tmp_path / "shar") == utterances


def test_lhotse_cuts_that_are_not_of_a_file(tmp_path, lhotse_cuts, listing):
    first = next(iter(lhotse_cuts))
    bare = fastcopy(first, recording=None)
    many = [first.perturb_speed(0.9), first.append(first), bare]
    CutSet.from_cuts(many).to_file(tmp_path / "cuts.jsonl")
    speed, mixed, bare = listing("lhotse", tmp_path)
    assert "its recording is changed (Speed)" in speed.reason and speed.selection
    assert "it is a MixedCut: store its audio" in mixed.reason
    assert "the cut has no recording" in bare.reason


def test_lhotse_cuts_that_are_resampled(tmp_path, lhotse_cuts, listing, heard):
    lhotse_cuts.subset(first=1).resample(8000).to_file(tmp_path / "cuts.jsonl")
    (one,) = listing("lhotse", tmp_path)
    heard(one)


def test_lhotse_supervisions_a_little_longer_than_their_cut(tmp_path, lhotse_cuts, listing):
    cut = next(iter(lhotse_cuts))  # from 0.5 s to 1.5 s
    supervision = fastcopy(cut.supervisions[0], start=-0.04, duration=1.1)
    CutSet.from_cuts([fastcopy(cut, supervisions=[supervision])]).to_file(tmp_path / "cuts.jsonl")
    (one,) = listing("lhotse", tmp_path)
    assert (one.start, one.end) == (0.5, 1.5)
