"""The sample lines in the docstring of each reader are in the format that it reads."""

import importlib
import re
from pathlib import Path

import pytest

from cascade.corpora.corpus import Utterance
from cascade.runtime.project import LOCAL

READERS = sorted(file.stem for file in (LOCAL / "readers").glob("*.py") if file.stem != "__init__")
# The files that the blocks of a docstring stand for, by reader, in their order.
FILES = {
    "an4": ("etc/an4_train.fileids", "etc/an4_train.transcription"),
    "commonvoice": ("train.tsv",),
    "golos": ("train/manifest.jsonl",),
    "kaldi": ("wav.scp", "segments", "text", "feats.scp"),
    "librispeech": ("train-clean-5/103/1240/103-1240.trans.txt",),
    "mls": ("train/transcripts.txt",),
    "table": ("table.tsv",),
}


def blocks(reader: str) -> list[str]:
    """The literal blocks of a module's docstring, without their indent."""
    text = importlib.import_module(f"local.readers.{reader}").__doc__ or ""
    indented = re.findall(r"::\n\n((?:    .*\n)+)", text)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in indented]


@pytest.mark.parametrize("reader", READERS)
def test_three_lines_of_each_format(reader):
    assert blocks(reader)
    for block in blocks(reader):
        header = block.startswith(("path\t", "client_id\t"))
        assert len(block.splitlines()) == 3 + header


@pytest.mark.parametrize("reader", FILES)
def test_sample_lines_are_read(tmp_path, listing, put, reader):
    for name, block in zip(FILES[reader], blocks(reader), strict=True):
        put(tmp_path / name, block)
    for folder in ("clips", "wav"):
        (tmp_path / folder).mkdir()
    parts = {"an4": "train", "commonvoice": "train"}
    utterances = listing(reader, tmp_path, parts.get(reader))
    assert len(utterances) == 3
    for utterance in utterances:
        assert isinstance(utterance, Utterance) and utterance.id and utterance.text


def test_sample_features_of_kaldi(tmp_path, listing, put):
    _, _, texts, features = blocks("kaldi")
    put(tmp_path / "text", texts)
    put(tmp_path / "feats.scp", features)
    utterances = listing("kaldi", tmp_path)
    assert [u.features for u in utterances if isinstance(u, Utterance)] == [
        f"{tmp_path}/{line.split()[1]}" for line in features.splitlines()
    ]


def test_sample_files_beside_recordings(tmp_path, listing, put):
    (block,) = blocks("beside")
    rows = [line.split(None, 2) for line in block.splitlines()]
    for audio, file, text in rows:
        put(tmp_path / audio, b"")
        put(tmp_path / file, text)
    utterances = listing("beside", tmp_path)
    assert [(u.text, u.speaker) for u in utterances] == [
        (text, Path(audio).parent.name) for audio, _, text in rows
    ]
