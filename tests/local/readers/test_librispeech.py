import pytest
import soundfile

from cascade.corpora.corpus import Excluded


@pytest.fixture
def librispeech(tmp_path, encode, put, tone):
    root = tmp_path / "LibriSpeech"
    for part, chapters in (
        ("train-clean-5", ("103/1240", "1034/121119")),
        ("dev-clean-2", ("84/1",)),
    ):
        for chapter in chapters:
            stem = chapter.replace("/", "-")
            lines = [f"{stem}-{n:04d} CHAPTER ONE IT'S {'AB'[n]}\n" for n in range(2)]
            put(root / part / chapter / f"{stem}.trans.txt", "".join(lines))
            for n in range(2):
                encode(root / part / chapter / f"{stem}-{n:04d}.flac", tone(16000), 16000, "flac")
    put(root / "SPEAKERS.TXT", "; a comment\n103 | F | train-clean-5 | 5.0 | A Name\n")
    return root


def test_librispeech(librispeech, listing, heard):
    utterances = listing("librispeech", librispeech, "train-clean-5")
    assert [u.id for u in utterances] == [
        f"{s}-{n:04d}" for s in ("103-1240", "1034-121119") for n in (0, 1)
    ]
    assert (utterances[0].speaker, utterances[0].text) == ("103", "CHAPTER ONE IT'S A")
    heard(utterances[3])
    assert listing("librispeech", librispeech.parent, "train-clean-5") == utterances
    assert listing("librispeech", librispeech / "train-clean-5") == utterances
    assert listing("librispeech", librispeech / "train-clean-5", "train-clean-5") == utterances
    assert len(listing("librispeech", librispeech)) == 6


def test_librispeech_parts_that_are_links_to_another_disk(librispeech, listing):
    utterances = listing("librispeech", librispeech)
    (librispeech / "train-clean-5").rename(librispeech.parent / "disk")
    (librispeech / "train-clean-5").symlink_to(librispeech.parent / "disk")
    assert listing("librispeech", librispeech) == utterances


def test_librispeech_without_a_line_and_converted(librispeech, listing, put, tone):
    folder = librispeech / "dev-clean-2/84/1"
    put(folder / "84-1.trans.txt", "84-1-0000 ONE\n")
    _, spare = listing("librispeech", librispeech, "dev-clean-2")
    assert spare == Excluded("84-1-0001", "it has no line in 84-1.trans.txt", selection=True)
    soundfile.write(folder / "84-1-0000.wav", tone(16000), 16000)
    (folder / "84-1-0000.flac").unlink()
    first, _ = listing("librispeech", librispeech, "dev-clean-2")
    assert first.audio.suffix == ".wav"


def test_librispeech_without_a_transcript_and_with_what_a_mac_leaves(librispeech, listing, put):
    chapter = librispeech / "train-clean-5/1034/121119"
    (chapter / "1034-121119.trans.txt").unlink()
    for name in ("._103-1240.trans.txt", "._103-1240-0000.flac"):
        put(librispeech / "train-clean-5/103/1240" / name, b"\0\5\x16\7\xa2")
    *utterances, first, second = listing("librispeech", librispeech, "train-clean-5")
    assert [u.id for u in utterances] == ["103-1240-0000", "103-1240-0001"]
    assert first == Excluded("1034-121119-0000", f"{chapter} has no transcript, *.trans.txt")
    assert second.id == "1034-121119-0001"
