import json

import pytest
import soundfile

from cascade.runtime.errors import UserError


@pytest.mark.parametrize(("ending", "codec"), [("", "pcm_s16le"), ("_opus", "libopus")])
def test_golos(tmp_path, encode, ending, codec, listing, put, tone, heard):
    root, suffix = tmp_path / "golos", ".opus" if ending else ".wav"
    places = {
        f"train{ending}/manifest.jsonl": ["crowd/0/aa", "crowd/9/ab", "farfield/ac"],
        f"train{ending}/10min.jsonl": ["crowd/0/aa"],
        f"test{ending}/crowd/manifest.jsonl": ["files/ba"],
        f"test{ending}/farfield/manifest.jsonl": ["files/ca"],
    }
    for manifest, stems in places.items():
        rows = []
        for stem in stems:
            path = f"{stem}{suffix}"
            encode((root / manifest).parent / path, tone(16000), 16000, codec)
            rows.append(
                {
                    "id": stem[-2:] * 16,
                    "audio_filepath": path,
                    "text": "джой поставь паузу",
                    "duration": 1.0,
                }
            )
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        put(root / manifest, text)
    utterances = listing("golos", root, "train")
    assert [u.id for u in utterances] == ["aa" * 16, "ab" * 16, "ac" * 16]
    assert {u.speaker for u in utterances} == {"unknown"}
    assert utterances[0].text == "джой поставь паузу"
    heard(utterances[2])
    assert listing("golos", tmp_path, "train") == utterances
    archive = root.rename(tmp_path / f"golos{ending}")  # as the archive unpacks
    assert [u.id for u in listing("golos", tmp_path, "train")] == [u.id for u in utterances]
    archive.rename(root)
    assert listing("golos", root, "train_10min") == utterances[:1]
    for part in ("crowd", "farfield"):
        (one,) = listing("golos", root, f"test_{part}")
        heard(one)
        assert listing("golos", root / f"test{ending}" / part) == [one]


def test_golos_by_hash_and_of_the_other_release(tmp_path, encode, listing, put, tone):
    encode(tmp_path / "train/crowd/0/aa.opus", tone(16000), 16000, "libopus")
    row = {"hash_id": "h1", "audio_filepath": "crowd/0/aa.wav", "text": None, "duration": 1.0}
    put(tmp_path / "train/manifest.jsonl", "\ufeff" + json.dumps(row) + "\r\n")
    (one,) = listing("golos", tmp_path)
    assert (one.id, one.text, one.audio.suffix) == ("h1", "", ".opus")
    moved = put(tmp_path / "mine.jsonl", json.dumps(row | {"audio_filepath": str(one.audio)}))
    assert listing("golos", moved)[0].audio == one.audio
    with pytest.raises(UserError, match="is one manifest"):
        listing("golos", moved, "test_crowd")


def test_parts_of_a_recording_in_a_manifest_as_nemo_writes_it(tmp_path, listing, put, tone):
    soundfile.write(tmp_path / "long.wav", tone(16000, 4.0), 16000)
    row = {"audio_filepath": "long.wav", "text": "да"}
    rows = [row | {"offset": 0, "duration": 1.5}, row | {"offset": 1.5, "duration": 2.0}]
    rows[1]["speaker"] = "anna"
    put(tmp_path / "manifest.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    utterances = listing("golos", tmp_path)
    assert [(u.id, u.start, u.end) for u in utterances] == [
        ("long-0000000", 0.0, 1.5),
        ("long-0001500", 1.5, 3.5),
    ]
    assert [u.speaker for u in utterances] == ["unknown", "anna"]
