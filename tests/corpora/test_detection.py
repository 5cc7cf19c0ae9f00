"""Every layout by itself, as small as possible. Recordings are not read here."""

from pathlib import Path

import pytest

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest
from cascade.corpora.detection import find_parts
from cascade.runtime.errors import UserError

CV = "client_id\tpath\tsentence\tup_votes\n"
CLIP = "c\ta.mp3\tДа.\t2\n"
GOLOS = '{"audio_filepath": "a.wav", "text": "да", "duration": 1}\n'
LAYOUTS = {
    "kaldi": {"wav.scp": "a a.wav\n", "text": "a да\n"},
    "kaldi of features": {"feats.scp": "a a.ark:5\n", "text": "a да\n", "utt2spk": "a s\n"},
    "commonvoice": {f"{p}.tsv": CV + CLIP for p in ("train", "dev", "test", "validated")},
    "commonvoice, release": {f"ru/{p}.tsv": CV + CLIP for p in ("train", "dev", "test")},
    "commonvoice, empty dev": {"validated.tsv": CV + CLIP, "train.tsv": CV + CLIP, "dev.tsv": CV},
    "librispeech": {
        f"LibriSpeech/{p}/1/2/1-2.trans.txt": "1-2-0 YES\n"
        for p in ("train-clean-5", "dev-clean-2", "test-clean", "test-other")
    },
    "librispeech, a part": {"84/1/84-1.trans.txt": "84-1-0 YES\n"},
    "mls": {f"mls_polish/{p}/transcripts.txt": "1_2_3\ttak\n" for p in ("train", "dev", "test")},
    "golos": {f"{p}/manifest.jsonl": GOLOS for p in ("train", "test/crowd", "test/farfield")},
    "golos, a manifest": {"manifest.jsonl": GOLOS},
    "an4": {f"etc/an4_{p}.fileids": "an4/a\n" for p in ("train", "test")} | {"wav/x": ""},
    "lhotse": {"my_cuts.jsonl.gz": "", "recordings.jsonl.gz": ""},
    "lhotse, a shar": {"cuts.000000.jsonl.gz": "", "recording.000000.tar": ""},
    "table": {"table.tsv": "speaker\tPath\ttext\ns\ta.wav\tда\n", "a.wav": ""},
    "table, csv": {"mine.csv": '"path","text"\na.wav,да\n', "notes.txt": "", "a.wav": ""},
    "table, semicolons": {"MINE.CSV": "\ufeffPath;Text\na.wav;да\n", "a.wav": ""},
    "table beside texts": {"x.tsv": "path\ttext\na.wav\tда\n", "a.wav": "", "a.txt": "да"},
    "beside": {"a.wav": "", "a.txt": "да"},
    "beside, by folders": {"anna/a.FLAC": "", "anna/a.lab": "да"},
    "tables in folders": {f"{p}/table.tsv": "path\ttext\n" for p in ("train", "dev", "test")},
    "kaldi in folders": {f"{p}/{f}": "" for p in ("train", "test") for f in ("text", "wav.scp")},
    "beside in folders": {f"{p}/s/a.{x}": "" for p in ("train", "valid") for x in ("wav", "txt")},
}
ROLES = {"train": "train", "valid": "dev", "test": "test"}
EXPECTED = {
    "kaldi": [("train", "kaldi", None)],
    "kaldi of features": [("train", "kaldi", None)],
    "commonvoice": [(r, "commonvoice", p) for r, p in ROLES.items()],
    "commonvoice, empty dev": [("train", "commonvoice", None)],
    "librispeech": [
        ("train", "librispeech", "train-clean-5"),
        ("valid", "librispeech", "dev-clean-2"),
        ("test", "librispeech", "test-clean"),
        ("test", "librispeech", "test-other"),
    ],
    "librispeech, a part": [("train", "librispeech", None)],
    "mls": [("train", "mls", "train"), ("valid", "mls", "dev"), ("test", "mls", "test")],
    "golos": [
        ("train", "golos", "train"),
        ("test", "golos", "test_crowd"),
        ("test", "golos", "test_farfield"),
    ],
    "golos, a manifest": [("train", "golos", None)],
    "an4": [("train", "an4", "train"), ("test", "an4", "test")],
    "lhotse": [("train", "lhotse", None)],
    "lhotse, a shar": [("train", "lhotse", None)],
    "table": [("train", "table", None)],
    "table, csv": [("train", "table", None)],
    "table, semicolons": [("train", "table", None)],
    "table beside texts": [("train", "table", None)],
    "beside": [("train", "beside", None)],
    "beside, by folders": [("train", "beside", None)],
    "tables in folders": [
        ("train", "table", None),
        ("valid", "table", None),
        ("test", "table", None),
    ],
    "kaldi in folders": [("train", "kaldi", None), ("test", "kaldi", None)],
    "beside in folders": [("train", "beside", None), ("valid", "beside", None)],
}
EXPECTED["commonvoice, release"] = EXPECTED["commonvoice"]


def laid(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    root.mkdir(exist_ok=True)
    return root


def find(where, tmp_path, language="ru"):
    return find_parts(
        str(where), CorpusRequest(tmp_path / "dl", tmp_path / "data", language=language)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path, layout):
    folder = laid(tmp_path / "x", LAYOUTS[layout])
    _, parts = find(folder, tmp_path, "pl" if layout == "mls" else "ru")
    assert [(p.role, p.corpus, p.part) for p in parts] == EXPECTED[layout]
    for part in parts:
        assert part.path.parent == folder if "in folders" in layout else part.path == folder
        assert part.part in (None, *corpus.load(part.corpus).PARTS)


def test_every_reader_of_folders_is_detect():
    readers = {n for n in corpus.names() if hasattr(corpus.load(n), "detect")}
    assert readers == {expected[0][1] for expected in EXPECTED.values()}


@pytest.mark.parametrize(
    ("files", "name", "corpus"),
    [
        ({"a/mine.tsv": "path\ttext\n", "a/b.tsv": ""}, "a/mine.tsv", "table"),
        ({"validated.tsv": CV + CLIP}, "validated.tsv", "commonvoice"),
        ({"train/10min.jsonl": GOLOS}, "train/10min.jsonl", "golos"),
        ({"cuts_a.jsonl": "", "cuts_b.jsonl": ""}, "cuts_a.jsonl", "lhotse"),
    ],
)
def test_a_file_in_place_of_a_folder(tmp_path, files, name, corpus):
    path = laid(tmp_path / "x", files) / name
    _, parts = find(path, tmp_path)
    assert [(p.role, p.corpus, p.path) for p in parts] == [("train", corpus, path)]


def test_all_parts_are_found_also_without_one_to_train_on(tmp_path):
    names = ("dev-clean-2", "test-clean")
    folder = laid(tmp_path / "x", {f"{name}/1/2/1-2.trans.txt": "" for name in names})
    _, parts = find(folder, tmp_path)
    assert [(p.role, p.part) for p in parts] == [("valid", names[0]), ("test", names[1])]


def test_a_corpus_that_is_fetched(tmp_path):
    _, parts = find("festvox_ru", tmp_path)
    assert [(p.role, p.part) for p in parts] == [(r, r) for r in ("train", "valid", "test")]
    _, parts = find("synth_en", tmp_path, "en")
    assert [(p.role, p.path, p.part) for p in parts] == [("train", None, None)]


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({}, ["x is empty."]),
        (
            {"a.wav": "", "b.WAV": "", "readme.md": ""},
            [
                "2 recordings, such as a.wav, but no transcripts",
                "(other files: readme.md)",
                "kaldi: text, and wav.scp",
                "beside: x.txt or x.lab beside",
                "table.tsv beside",
            ],
        ),
        ({"list.xml": "<a/>"}, ["has neither recordings nor lists", "list.xml"]),
        (
            {"list.csv": "file,transcript\n"},
            ["x cannot be read as it is: the first line of list.csv names file, transcript; it"],
        ),
        (
            {f"{name}/{file}": "" for name in ("train_5", "dev_2") for file in ("text", "wav.scp")},
            ["cannot be read as it is: name one of the Kaldi data folders in it, dev_2, train_5."],
        ),
        (
            {f"a_{kind}_dev.jsonl.gz": "" for kind in ("recordings", "supervisions")},
            ["lhotse cut simple -r a_recordings_dev.jsonl.gz -s a_supervisions_dev.jsonl.gz"],
        ),
        (
            {"transcripts.txt": "", "audio/1/2/1_2_3.flac": ""},
            ["it is one part of MLS. Name the folder above it, "],
        ),
        (
            {"wav.scp": "", "text": "", "table.tsv": "path\ttext\n"},
            ["can be read as 'kaldi'", "and as 'table'", "Name the table"],
        ),
        ({"text": "a да\n"}, ["neither recordings nor", "(other files: text)"]),
    ],
)
def test_refusals(tmp_path, files, parts):
    folder = laid(tmp_path / "x", files)
    with pytest.raises(UserError) as refusal:
        find(folder, tmp_path)
    for piece in parts:
        assert piece in str(refusal.value)


def test_no_folder(tmp_path):
    for where in (tmp_path / "none", "kaldi"):
        with pytest.raises(UserError, match=f"no folder {where}"):
            find(where, tmp_path)
    with pytest.raises(UserError, match=r"a\.tar\.gz looks like an archive. Unpack it"):
        find(laid(tmp_path / "x", {"a.tar.gz": ""}) / "a.tar.gz", tmp_path)
    with pytest.raises(UserError, match=r"a\.txt is not a table or manifest"):
        find(laid(tmp_path / "x", {"a.txt": ""}) / "a.txt", tmp_path)
