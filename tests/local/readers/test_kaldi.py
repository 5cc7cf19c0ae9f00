import pytest

from cascade.corpora.corpus import Excluded, Utterance
from cascade.runtime.errors import UserError


@pytest.fixture
def kaldi(tmp_path, encode, put, tone):
    """``s5/data/train`` as Kaldi's recipes make it, paths relative to ``s5``."""
    folder = tmp_path / "s5/data/train"
    for n in (1, 2):
        encode(tmp_path / f"s5/wav/rec{n}.flac", tone(22050, 3.0), 22050, "flac")
    put(folder / "wav.scp", "rec1 wav/rec1.flac\nrec2 wav/rec2.flac\n")
    put(folder / "text", "rec1 добрый день\nrec2 да\n")
    put(folder / "utt2spk", "rec1 anna\nrec2 boris\n")
    return folder


def test_kaldi(kaldi, listing, heard):
    utterances = listing("kaldi", kaldi)
    assert [(u.id, u.text, u.speaker) for u in utterances] == [
        ("rec1", "добрый день", "anna"),
        ("rec2", "да", "boris"),
    ]
    heard(utterances[1])


def test_kaldi_with_segments(kaldi, listing, put, heard):
    put(
        kaldi / "segments",
        "anna-1 rec1 0.5 1.5\nanna-2 rec1 2.0 -1\nboris-1 rec2 0 1 0\nx-1 rec9 0 1\n",
    )
    put(kaldi / "text", "boris-1 да\nanna-1 добрый день\nanna-2 [noise] нет\nx-1 да\nz-1 нет\n")
    put(kaldi / "utt2spk", "anna-1 anna\nanna-2 anna\nboris-1 boris\nx-1 x\n")
    first, noise, third, lost, spare = listing("kaldi", kaldi)
    assert (first.id, first.start, first.end, first.speaker) == ("anna-1", 0.5, 1.5, "anna")
    heard(first)
    assert (noise.id, noise.end, noise.text) == ("anna-2", None, "[noise] нет")
    assert (third.text, third.channel) == ("да", 0)
    assert lost == Excluded("x-1", "its recording 'rec9' is not in wav.scp")
    assert spare == Excluded("z-1", "it has a text, but no audio or features")


def test_kaldi_with_two_speakers_of_an_utterance(kaldi, listing, put):
    put(kaldi / "utt2spk", "rec1 anna\nrec2 boris\nrec1 boris\n")
    with pytest.raises(UserError, match=r"utt2spk: 'rec1' appears twice"):
        listing("kaldi", kaldi)


def test_kaldi_with_a_speaker_or_a_text_too_few_or_too_many(kaldi, listing, put):
    put(kaldi / "utt2spk", "rec1 anna\n")
    first, second = listing("kaldi", kaldi)
    assert first.speaker == "anna"
    assert second == Excluded("rec2", "it has no line in 'utt2spk'")
    put(kaldi / "text", "rec1 да\nrec2 нет\nrec1 нет\n")
    with pytest.raises(UserError, match=r"text: 'rec1' appears twice"):
        listing("kaldi", kaldi)


def test_kaldi_where_the_first_recording_is_missing(tmp_path, kaldi, listing, put, heard):
    (tmp_path / "s5/wav/rec1.flac").unlink()
    deeper = kaldi / "split4/1"
    for name in ("wav.scp", "text", "utt2spk"):
        put(deeper / name, (kaldi / name).read_text())
    for folder in (kaldi, deeper):
        missing, there = listing("kaldi", folder)
        assert missing.audio == folder / "wav/rec1.flac"
        heard(there)


def test_kaldi_lists_in_another_order(kaldi, listing, put):
    put(kaldi / "text", "rec2 да\nrec1 добрый день\n")
    put(kaldi / "utt2spk", "rec2 boris\r\nrec1 anna\r\n")
    assert [(u.text, u.speaker) for u in listing("kaldi", kaldi)] == [
        ("добрый день", "anna"),
        ("да", "boris"),
    ]


def test_kaldi_features_in_place_of_audio(tmp_path, kaldi, listing, put):
    (kaldi / "wav.scp").unlink()
    ark = put(tmp_path / "s5/mfcc/raw.1.ark", b"any")
    put(kaldi / "feats.scp", "rec1 mfcc/raw.1.ark:5\nrec2 mfcc/raw.1.ark:77[0:9]\n")
    first, second = listing("kaldi", kaldi)
    assert first == Utterance("rec1", ark, "добрый день", "anna", features=f"{ark}:5")
    assert second.features == f"{ark}:77[0:9]"


def test_kaldi_audio_without_a_text_is_a_choice(listing, kaldi, put):
    put(kaldi / "text", "rec2 да\n")
    first, second = listing("kaldi", kaldi)
    assert first == Excluded("rec1", "it has no line in 'text'", selection=True)
    assert second.text == "да"
    first, _ = listing("kaldi", kaldi, transcribed=False)
    assert (first.id, first.text, first.speaker) == ("rec1", "", "anna")


def test_kaldi_paths_of_where_the_program_runs(tmp_path, listing, kaldi, monkeypatch):
    moved = kaldi.rename(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "s5")
    assert listing("kaldi", moved)[0].audio == tmp_path / "s5/wav/rec1.flac"
