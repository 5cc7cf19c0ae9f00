"""Corpora in the layouts that they are published in, made here with real encoders."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet, MonoCut, MultiCut, Recording, SupervisionSegment
from lhotse.utils import fastcopy

from cascade.corpora import audio, corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError


def listing(tmp_path, name, path, part=None, language="ru"):
    request = CorpusRequest(
        tmp_path / "dl", tmp_path / "data", part=part, path=path, language=language
    )
    found = list(corpus.listing(name, request))
    assert all(file.is_file() for file in corpus.lists(name, request))
    return found


def made(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def tone(rate, seconds=1.0, hz=440):
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


def heard(utterance, seconds=1.0, hz=440):
    """Asserts that its audio is the tone, brought to 16 kHz."""
    audio.inspect(utterance.audio)
    samples = audio.read(utterance.audio, 16000, utterance.start, seconds - 0.02, utterance.channel)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * 16000 / len(samples) == pytest.approx(hz, abs=2)


CLIENT = "05e9d52b02fc87f02758c2e8e1b97d05c23ec0ac7c5b76d964cb1a547ce72f7eefc021cfe23a67b3403"
RELEASES = {
    "1": "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent",
    "6.1": "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment",
    "13.0": "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\t"
    "locale\tsegment",
    "17.0": "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\t"
    "gender\taccents\tvariant\tlocale\tsegment",
}


@pytest.fixture
def commonvoice(tmp_path, encode):
    """Makes a language of a release; gives the release's folder."""

    def commonvoice(release, parts=("train", "dev", "test", "validated", "other")):
        root = tmp_path / f"cv-corpus-{release}"
        columns = RELEASES[release].split("\t")
        for i, part in enumerate(parts):
            rows = [RELEASES[release]]
            for j, sentence in enumerate(('Он сказал: "Нет', "Ёж — зверь.")):
                name = f"common_voice_ru_1884{i}{j}.mp3"
                encode(
                    root / "ru/clips" / name,
                    tone(32000 if j else 48000),
                    32000 if j else 48000,
                    "libmp3lame",
                )
                values = {"client_id": f"{CLIENT}{j}", "sentence": sentence, "locale": "ru"}
                values |= {"path": name.removesuffix(".mp3") if release == "1" else name}
                values |= {"up_votes": "2", "down_votes": "0"}
                rows.append("\t".join(values.get(column, "") for column in columns))
            made(root / "ru" / f"{part}.tsv", "\n".join(rows) + "\n")
        made(root / "ru/reported.tsv", "sentence_id\tsentence\tlocale\treason\n")
        return root

    return commonvoice


@pytest.mark.parametrize("release", RELEASES)
def test_commonvoice(tmp_path, commonvoice, release):
    root = commonvoice(release, ("train", "validated"))
    first, second = listing(tmp_path, "commonvoice", root / "ru", "train")
    assert (first.id, first.text) == ("common_voice_ru_188400", 'Он сказал: "Нет')
    assert (second.speaker, second.text) == (f"{CLIENT}1", "Ёж — зверь.")
    heard(first)
    heard(second)
    assert listing(tmp_path, "commonvoice", root, "train") == [first, second]  # finds ru
    assert listing(tmp_path, "commonvoice", root)[0].id == "common_voice_ru_188410"  # validated
    assert listing(tmp_path, "commonvoice", root / "ru" / "train.tsv") == [first, second]
    with pytest.raises(UserError, match="is one table"):
        listing(tmp_path, "commonvoice", root / "ru" / "train.tsv", "test")
    first.audio.rename(first.audio.with_suffix(".wav"))  # as if it had been converted
    converted, other = listing(tmp_path, "commonvoice", root / "ru", "train")
    assert (converted.audio.suffix, other.audio.suffix) == (".wav", ".mp3")


def test_commonvoice_with_windows_line_ends_and_a_byte_order_mark(tmp_path, commonvoice):
    table = commonvoice("17.0", ("train",)) / "ru" / "train.tsv"
    before = listing(tmp_path, "commonvoice", table.parent, "train")
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    assert listing(tmp_path, "commonvoice", table.parent, "train") == before


def test_a_broken_row_of_commonvoice_is_left_out_alone(tmp_path, commonvoice):
    table = commonvoice("17.0", ("train",)) / "ru" / "train.tsv"
    table.write_text(table.read_text() + "a\tb\tc\n")
    *_, broken = listing(tmp_path, "commonvoice", table.parent, "train")
    assert broken == Excluded("train-line-4", "train.tsv, line 4: 3 fields for 13 columns")


@pytest.fixture
def librispeech(tmp_path, encode):
    root = tmp_path / "LibriSpeech"
    for part, chapters in (
        ("train-clean-5", ("103/1240", "1034/121119")),
        ("dev-clean-2", ("84/1",)),
    ):
        for chapter in chapters:
            stem = chapter.replace("/", "-")
            lines = [f"{stem}-{n:04d} CHAPTER ONE IT'S {'AB'[n]}\n" for n in range(2)]
            made(root / part / chapter / f"{stem}.trans.txt", "".join(lines))
            for n in range(2):
                encode(root / part / chapter / f"{stem}-{n:04d}.flac", tone(16000), 16000, "flac")
    made(root / "SPEAKERS.TXT", "; a comment\n103 | F | train-clean-5 | 5.0 | A Name\n")
    return root


def test_librispeech(tmp_path, librispeech):
    found = listing(tmp_path, "librispeech", librispeech, "train-clean-5")
    assert [u.id for u in found] == [
        f"{s}-{n:04d}" for s in ("103-1240", "1034-121119") for n in (0, 1)
    ]
    assert (found[0].speaker, found[0].text) == ("103", "CHAPTER ONE IT'S A")
    heard(found[3])
    assert listing(tmp_path, "librispeech", librispeech.parent, "train-clean-5") == found
    assert listing(tmp_path, "librispeech", librispeech / "train-clean-5") == found
    assert len(listing(tmp_path, "librispeech", librispeech)) == 6


def test_librispeech_without_a_line_and_converted(tmp_path, librispeech):
    folder = librispeech / "dev-clean-2/84/1"
    made(folder / "84-1.trans.txt", "84-1-0000 ONE\n")
    _, spare = listing(tmp_path, "librispeech", librispeech, "dev-clean-2")
    assert spare == Excluded("84-1-0001", "84-1.trans.txt has no line of it", selection=True)
    soundfile.write(folder / "84-1-0000.wav", tone(16000), 16000)
    (folder / "84-1-0000.flac").unlink()
    first, _ = listing(tmp_path, "librispeech", librispeech, "dev-clean-2")
    assert first.audio.suffix == ".wav"


def test_librispeech_without_a_transcript_and_with_what_a_mac_leaves(tmp_path, librispeech):
    chapter = librispeech / "train-clean-5/1034/121119"
    (chapter / "1034-121119.trans.txt").unlink()
    for name in ("._103-1240.trans.txt", "._103-1240-0000.flac"):
        made(librispeech / "train-clean-5/103/1240" / name, b"\0\5\x16\7\xa2")
    *found, first, second = listing(tmp_path, "librispeech", librispeech, "train-clean-5")
    assert [u.id for u in found] == ["103-1240-0000", "103-1240-0001"]
    assert first == Excluded("1034-121119-0000", f"{chapter} has no transcript, *.trans.txt")
    assert second.id == "1034-121119-0001"


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [("mls_polish", "flac", ".flac"), ("mls_polish_opus", "libopus", ".opus")],
)
def test_mls(tmp_path, encode, name, codec, suffix):
    root = tmp_path / "data"
    handles = ["6892_10049_000000", "6892_10049_000001"]
    for part in ("train", "dev", "test"):
        for handle in handles:
            path = root / name / part / "audio/6892/10049" / f"{handle}{suffix}"
            encode(path, tone(16000), 16000, codec)
        lines = [f"{handle}\tżeby nie było {handle[-1]}\n" for handle in handles]
        made(root / name / part / "transcripts.txt", "".join(lines))
        made(root / name / part / "segments.txt", "")
    made(root / name / "metainfo.txt", " SPEAKER | GENDER | PARTITION | MINUTES | BOOK ID\n")
    limited = root / name / "train/limited_supervision"
    made(limited / "9hr/handles.txt", f"{handles[0]}\n{handles[1]}\n")
    made(limited / "1hr/0/handles.txt", f"{handles[1]}\n")
    found = listing(tmp_path, "mls", root, "train", "pl")
    assert [u.id for u in found] == handles
    assert (found[1].speaker, found[1].text) == ("6892", "żeby nie było 1")
    heard(found[0])
    assert listing(tmp_path, "mls", root / name, "train", "pol") == found
    assert listing(tmp_path, "mls", root, "9hr", "pl") == found
    assert listing(tmp_path, "mls", root, "1hr", "pl") == found[1:]
    made(limited / "1hr/0/handles.txt", f"{handles[1]}\n9_9_9\n")
    *_, lost = listing(tmp_path, "mls", root, "1hr", "pl")
    assert lost == Excluded("9_9_9", "handles.txt has it, and transcripts.txt of train does not")
    assert listing(tmp_path, "mls", root, "dev", "pl")[0].audio.parts[-5] == "dev"
    with pytest.raises(UserError, match=rf"a folder mls_ru with it; of MLS it has {name}"):
        listing(tmp_path, "mls", root, "train", "ru")


@pytest.mark.parametrize(("ending", "codec"), [("", "pcm_s16le"), ("_opus", "libopus")])
def test_golos(tmp_path, encode, ending, codec):
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
        made(root / manifest, text)
    found = listing(tmp_path, "golos", root, "train")
    assert [u.id for u in found] == ["aa" * 16, "ab" * 16, "ac" * 16]
    assert {u.speaker for u in found} == {"unknown"} and found[0].text == "джой поставь паузу"
    heard(found[2])
    assert listing(tmp_path, "golos", tmp_path, "train") == found
    assert listing(tmp_path, "golos", root, "train_10min") == found[:1]
    for part in ("crowd", "farfield"):
        (one,) = listing(tmp_path, "golos", root, f"test_{part}")
        heard(one)
        assert listing(tmp_path, "golos", root / f"test{ending}" / part) == [one]


def test_golos_by_hash_and_of_the_other_release(tmp_path, encode):
    encode(tmp_path / "train/crowd/0/aa.opus", tone(16000), 16000, "libopus")
    row = {"hash_id": "h1", "audio_filepath": "crowd/0/aa.wav", "text": None, "duration": 1.0}
    made(tmp_path / "train/manifest.jsonl", "\ufeff" + json.dumps(row) + "\r\n")
    (one,) = listing(tmp_path, "golos", tmp_path)
    assert (one.id, one.text, one.audio.suffix) == ("h1", "", ".opus")
    moved = made(tmp_path / "mine.jsonl", json.dumps(row | {"audio_filepath": str(one.audio)}))
    assert listing(tmp_path, "golos", moved)[0].audio == one.audio
    with pytest.raises(UserError, match="is one manifest"):
        listing(tmp_path, "golos", moved, "test_crowd")


def test_parts_of_a_recording_in_a_manifest_as_nemo_writes_it(tmp_path):
    soundfile.write(tmp_path / "long.wav", tone(16000, 4.0), 16000)
    row = {"audio_filepath": "long.wav", "text": "да"}
    rows = [row | {"offset": 0, "duration": 1.5}, row | {"offset": 1.5, "duration": 2.0}]
    made(tmp_path / "manifest.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    found = listing(tmp_path, "golos", tmp_path)
    assert [(u.id, u.start, u.end) for u in found] == [
        ("long-0000000", 0.0, 1.5),
        ("long-0001500", 1.5, 3.5),
    ]


@pytest.fixture
def an4(tmp_path):
    """The folder ``an4`` with audio of a suffix; raw audio in the byte order of ``order``."""

    def an4(suffix=".sph", order="<i2"):
        root = tmp_path / "an4"
        parts = {
            "train": ("an4_clstk/fash", "fash", "<s> {} </s> ({})"),
            "test": ("an4test_clstk/fcaw", "fcaw", "{} ({})"),
        }
        for part, (folder, speaker, line) in parts.items():
            names = [f"an{n}-{speaker}-b" for n in (251, 253)]
            made(root / f"etc/an4_{part}.fileids", "".join(f"{folder}/{n}\n" for n in names))
            lines = [line.format("RUBOUT G M E F THREE NINE", name) + "\n" for name in names]
            made(root / f"etc/an4_{part}.transcription", "".join(lines))
            for name in names:
                path = made(root / "wav" / folder / f"{name}{suffix}", b"")
                if suffix == ".sph":
                    soundfile.write(path, tone(16000), 16000, format="NIST", subtype="PCM_16")
                else:
                    path.write_bytes((tone(16000) * 32767).astype(order).tobytes())
        return root

    return an4


@pytest.mark.parametrize(("suffix", "order"), [(".sph", ""), (".raw", "<i2"), (".raw", ">i2")])
def test_an4(tmp_path, an4, suffix, order):
    root = an4(suffix, order)
    found = listing(tmp_path, "an4", root, "train")
    assert [u.id for u in found] == ["an251-fash-b", "an253-fash-b"]
    assert (found[0].speaker, found[0].text) == ("fash", "RUBOUT G M E F THREE NINE")
    heard(found[0])
    (test, _) = listing(tmp_path, "an4", tmp_path, "test")
    assert (test.speaker, test.text) == ("fcaw", "RUBOUT G M E F THREE NINE")
    heard(test)
    assert len(listing(tmp_path, "an4", root)) == 4


@pytest.fixture
def kaldi(tmp_path, encode):
    """``s5/data/train`` as Kaldi's recipes make it, paths relative to ``s5``."""
    folder = tmp_path / "s5/data/train"
    for n in (1, 2):
        encode(tmp_path / f"s5/wav/rec{n}.flac", tone(22050, 3.0), 22050, "flac")
    made(folder / "wav.scp", "rec1 wav/rec1.flac\nrec2 wav/rec2.flac\n")
    made(folder / "text", "rec1 добрый день\nrec2 да\n")
    made(folder / "utt2spk", "rec1 anna\nrec2 boris\n")
    return folder


def test_kaldi(tmp_path, kaldi):
    found = listing(tmp_path, "kaldi", kaldi)
    assert [(u.id, u.text, u.speaker) for u in found] == [
        ("rec1", "добрый день", "anna"),
        ("rec2", "да", "boris"),
    ]
    heard(found[1])


def test_kaldi_with_segments(tmp_path, kaldi):
    made(
        kaldi / "segments",
        "anna-1 rec1 0.5 1.5\nanna-2 rec1 2.0 -1\nboris-1 rec2 0 1 0\nx-1 rec9 0 1\n",
    )
    made(kaldi / "text", "boris-1 да\nanna-1 добрый день\nanna-2 [noise] нет\nx-1 да\nz-1 нет\n")
    made(kaldi / "utt2spk", "anna-1 anna\nanna-2 anna\nboris-1 boris\nx-1 x\n")
    first, noise, third, lost, spare = listing(tmp_path, "kaldi", kaldi)
    assert (first.id, first.start, first.end, first.speaker) == ("anna-1", 0.5, 1.5, "anna")
    heard(first)
    assert (noise.id, noise.end, noise.text) == ("anna-2", None, "[noise] нет")
    assert (third.text, third.channel) == ("да", 0)
    assert lost == Excluded("x-1", "its recording 'rec9' is not in wav.scp")
    assert spare == Excluded("z-1", "there is a text, and no audio or features of it")


def test_kaldi_where_the_first_recording_is_missing(tmp_path, kaldi):
    (tmp_path / "s5/wav/rec1.flac").unlink()
    deeper = kaldi / "split4/1"
    for name in ("wav.scp", "text", "utt2spk"):
        made(deeper / name, (kaldi / name).read_text())
    for folder in (kaldi, deeper):
        missing, there = listing(tmp_path, "kaldi", folder)
        assert missing.audio == folder / "wav/rec1.flac"
        heard(there)


def test_kaldi_lists_in_another_order(tmp_path, kaldi):
    made(kaldi / "text", "rec2 да\nrec1 добрый день\n")
    made(kaldi / "utt2spk", "rec2 boris\r\nrec1 anna\r\n")
    assert [(u.text, u.speaker) for u in listing(tmp_path, "kaldi", kaldi)] == [
        ("добрый день", "anna"),
        ("да", "boris"),
    ]


def test_kaldi_features_in_place_of_audio(tmp_path, kaldi):
    (kaldi / "wav.scp").unlink()
    ark = made(tmp_path / "s5/mfcc/raw.1.ark", b"any")
    made(kaldi / "feats.scp", "rec1 mfcc/raw.1.ark:5\nrec2 mfcc/raw.1.ark:77[0:9]\n")
    first, second = listing(tmp_path, "kaldi", kaldi)
    assert first == Utterance("rec1", ark, "добрый день", "anna", features=f"{ark}:5")
    assert second.features == f"{ark}:77[0:9]"


@pytest.fixture
def lhotse_cuts(tmp_path):
    """Cuts of a stereo recording at 22.05 kHz: one whole, one with two supervisions."""
    samples = np.stack([tone(22050, 4), tone(22050, 4, hz=660)], axis=1)
    soundfile.write(tmp_path / "tape.flac", samples, 22050)
    recording = Recording.from_file(tmp_path / "tape.flac", recording_id="tape")

    def said(name, start, text, channel):
        return SupervisionSegment(
            name, "tape", start, 1.0, channel, text=text, speaker=f"s{channel}", language="ru"
        )

    return CutSet.from_cuts(
        [
            MonoCut("c1", 0.5, 1.0, 0, [said("u1", 0.0, "да", 0)], recording=recording),
            MonoCut(
                "c2",
                1.0,
                3.0,
                1,
                [said("u2", 0.5, "нет", 1), said("u3", 1.5, "ёж", 1)],
                recording=recording,
            ),
            MonoCut("c3", 0.0, 1.0, 0, [], recording=recording),
        ]
    )


@pytest.mark.parametrize("name", ["cuts.jsonl", "my_cuts_train.jsonl.gz"])
def test_lhotse(tmp_path, lhotse_cuts, name):
    folder = tmp_path / "manifests"
    folder.mkdir()
    lhotse_cuts.to_file(folder / name)
    first, second, third, none = listing(tmp_path, "lhotse", folder)
    assert (first.id, first.start, first.end, first.channel) == ("c1", 0.5, 1.5, 0)
    heard(first)
    assert [(u.id, u.text, u.speaker, u.start, u.end) for u in (second, third)] == [
        ("u2", "нет", "s1", 1.5, 2.5),
        ("u3", "ёж", "s1", 2.5, 3.5),
    ]
    heard(third, hz=660)
    assert none == Excluded("c3", "a cut without a supervision", 1.0, selection=True)
    assert listing(tmp_path, "lhotse", folder / name)[0] == first


def test_lhotse_relative_paths(tmp_path, lhotse_cuts):
    lhotse_cuts.to_file(tmp_path / "cuts.jsonl")
    content = (tmp_path / "cuts.jsonl").read_text().replace(f"{tmp_path}/", "")
    (tmp_path / "cuts.jsonl").write_text(content)
    heard(listing(tmp_path, "lhotse", tmp_path)[0])


def test_lhotse_paths_of_where_a_recipe_runs(tmp_path, lhotse_cuts):
    manifest = tmp_path / "asr/data/fbank/ru_cuts_train.jsonl"
    lhotse_cuts.to_file(tmp_path / "cuts.jsonl")
    content = (tmp_path / "cuts.jsonl").read_text().replace(f"{tmp_path}/", "download/")
    made(manifest, content)
    (tmp_path / "asr/download").mkdir()
    (tmp_path / "tape.flac").rename(tmp_path / "asr/download/tape.flac")
    heard(listing(tmp_path, "lhotse", manifest)[0])


def test_lhotse_windows_do_not_have_their_whole_text(tmp_path, lhotse_cuts):
    windows = lhotse_cuts.subset(cut_ids=["c1"]).cut_into_windows(0.5)
    windows.to_file(tmp_path / "cuts.jsonl")
    first, second = listing(tmp_path, "lhotse", tmp_path)
    assert "0.50 s of it are outside of its cut" in first.reason
    assert "0.50 s of it are outside of its cut" in second.reason


def test_lhotse_cuts_that_have_pieces_of_their_neighbours(tmp_path):
    soundfile.write(tmp_path / "tape.wav", tone(16000, 3.0), 16000)
    tape = Recording.from_file(tmp_path / "tape.wav", recording_id="tape")
    spans = {"a": (0.0, 2.0), "b": (1.0, 1.8)}  # start and duration: they overlap
    said = [SupervisionSegment(n, "tape", *span, text=n) for n, span in spans.items()]
    whole = CutSet.from_cuts([MonoCut("whole", 0.0, 3.0, 0, said, recording=tape)])
    whole.trim_to_supervisions().to_file(tmp_path / "cuts.jsonl")  # keeps what overlaps
    (tmp_path / "._cuts.jsonl").write_bytes(b"\0\5\x16\7")
    found = listing(tmp_path, "lhotse", tmp_path)
    kept = {u.id: (u.start, u.end) for u in found if isinstance(u, Utterance)}
    assert kept == {"a": (0.0, 2.0), "b": (1.0, 2.8)}
    pieces = [u for u in found if isinstance(u, Excluded)]
    assert len(pieces) == 2 and len({u.id for u in found}) == 4
    assert all("outside of its cut" in piece.reason for piece in pieces)


def test_lhotse_parts_are_no_shards(tmp_path, lhotse_cuts):
    for part in ("train", "test"):
        lhotse_cuts.to_file(tmp_path / f"cuts.{part}.jsonl.gz")
    with pytest.raises(UserError, match=r"it has cuts\.test\.jsonl\.gz, cuts\.train"):
        listing(tmp_path, "lhotse", tmp_path)


def test_lhotse_some_channels_of_more(tmp_path):
    soundfile.write(tmp_path / "four.wav", np.stack([tone(16000)] * 4, axis=1), 16000)
    recording = Recording.from_file(tmp_path / "four.wav", recording_id="four")
    cuts = []
    for name, channels in (("some", [0, 1]), ("all", [0, 1, 2, 3]), ("none", [0, 7])):
        said = SupervisionSegment(name, "four", 0.0, 1.0, channels, text="да")
        cuts.append(MultiCut(name, 0.0, 1.0, channels, [said], recording=recording))
    CutSet.from_cuts(cuts).to_file(tmp_path / "cuts.jsonl")
    some, every, none = listing(tmp_path, "lhotse", tmp_path)
    assert some.reason == "it has channels [0, 1] of 4: make cuts of one, or of all"
    assert isinstance(every, Utterance) and every.channel is None
    assert none.reason == "its channels [0, 7] are not in one file: make cuts of one of them"


def test_lhotse_shar(tmp_path, lhotse_cuts):
    mono = lhotse_cuts.subset(first=2).resample(16000)
    (tmp_path / "shar").mkdir()
    mono.to_shar(tmp_path / "shar", fields={"recording": "flac"}, shard_size=1)
    found = listing(tmp_path, "lhotse", tmp_path / "shar")
    assert [(u.id, u.text) for u in found] == [("c1", "да"), ("u2", "нет"), ("u3", "ёж")]
    heard(found[0])
    heard(found[2], hz=660)
    assert listing(tmp_path, "lhotse", tmp_path / "shar") == found


def test_lhotse_cuts_that_are_not_of_a_file(tmp_path, lhotse_cuts):
    first = next(iter(lhotse_cuts))
    bare = fastcopy(first, recording=None)
    many = [first.perturb_speed(0.9), first.append(first), bare]
    CutSet.from_cuts(many).to_file(tmp_path / "cuts.jsonl")
    speed, mixed, bare = listing(tmp_path, "lhotse", tmp_path)
    assert "its recording is changed (Speed)" in speed.reason and speed.selection
    assert "a MixedCut: store its audio" in mixed.reason
    assert "without a recording" in bare.reason
