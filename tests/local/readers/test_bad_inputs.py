"""Bad inputs of every reader, and what the user is told."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError

READERS = ("table", "commonvoice", "librispeech", "mls", "golos", "an4", "kaldi", "lhotse")
GOLOS = json.dumps({"id": "a", "audio_filepath": "a.wav", "text": "да", "duration": 1.0})
CUT = json.dumps(
    {
        "id": "c",
        "start": 0,
        "duration": 1,
        "channel": 0,
        "supervisions": [
            {"id": "c", "recording_id": "c", "start": 0, "duration": 1, "text": "да", "channel": 0}
        ],
        "recording": {
            "id": "c",
            "sources": [{"type": "file", "channels": [0], "source": "a.wav"}],
            "sampling_rate": 16000,
            "num_samples": 16000,
            "duration": 1.0,
        },
        "type": "MonoCut",
    },
    ensure_ascii=False,
)
# The list that a reader reads, with one utterance; {} is where its audio lies, in the
# readers that say so; and the files that must be there beside it.
LISTS = {
    "table": ("table.tsv", "path\ttext\n{}\tда\n", {}),
    "commonvoice": ("validated.tsv", "client_id\tpath\tsentence\nx\t{}\tда\n", {"clips/": ""}),
    "librispeech": ("1/2/1-2.trans.txt", "1-2-0000 ONE\n", {}),
    "mls": ("train/transcripts.txt", "1_2_000000\tjeden\n", {}),
    "golos": ("manifest.jsonl", GOLOS.replace("a.wav", "{}") + "\n", {}),
    "an4": (
        "etc/an4_train.fileids",
        "an4_clstk/f/an1-f-b\n",
        {"wav/": "", "etc/an4_train.transcription": "<s> ONE </s> (an1-f-b)\n"},
    ),
    "kaldi": ("wav.scp", "a {}\n", {"text": "a да\n", "utt2spk": "a x\n"}),
    "lhotse": ("cuts.jsonl", CUT.replace("a.wav", "{}") + "\n", {}),
}
NAMING = ("table", "commonvoice", "golos", "kaldi", "lhotse")  # lists that name audio files


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def good(folder: Path, reader: str, audio: str = "a.wav") -> Path:
    """Writes the files of a corpus of one utterance; returns its list."""
    name, content, others = LISTS[reader]
    for other, text in others.items():
        if other.endswith("/"):
            (folder / other).mkdir(parents=True)
        else:
            write(folder / other, text)
    write(folder / name, content.replace("{}", audio))
    return folder / name


def listing(folder: Path, reader: str, part=None, language="ru", path=None):
    part = "train" if reader == "an4" else part
    request = CorpusRequest(folder, folder, part=part, path=path or folder, language=language)
    return list(corpus.listing(reader, request))


def refused(folder: Path, reader: str, **other) -> str:
    with pytest.raises(UserError) as caught:
        listing(folder, reader, **other)
    message = str(caught.value)
    assert message.endswith((".", ".)")) and "\n" not in message
    return message


@pytest.mark.parametrize("reader", READERS)
def test_good(tmp_path, reader):
    good(tmp_path, reader)
    (one,) = listing(tmp_path, reader)
    assert one.text


@pytest.mark.parametrize("reader", READERS)
def test_no_path(tmp_path, reader):
    request = CorpusRequest(tmp_path, tmp_path)
    with pytest.raises(UserError, match=rf"Corpus '{reader}' needs 'path:' in the recipe"):
        list(corpus.listing(reader, request))


@pytest.mark.parametrize("reader", READERS)
def test_no_such_folder(tmp_path, reader):
    assert f"{tmp_path}/nowhere" in refused(tmp_path, reader, path=tmp_path / "nowhere")


EMPTY_FOLDER = {
    "table": "must contain one table",
    "commonvoice": "has no validated.tsv; its tables: none. Name the folder of a language",
    "librispeech": "has no transcripts, SPEAKER/CHAPTER/*.trans.txt",
    "mls": "has neither train/transcripts.txt nor a folder mls_ru with it; its languages: none.",
    "golos": "has neither train/manifest.jsonl nor train_opus/manifest.jsonl; its folders: none.",
    "an4": "is not AN4: it must have the folders etc and wav",
    "kaldi": "has no file 'text'",
    "lhotse": "must contain one manifest of cuts, *cuts*.jsonl.gz, or a Shar; its manifests: none.",
}


@pytest.mark.parametrize(("reader", "fragment"), EMPTY_FOLDER.items())
def test_empty_folder(tmp_path, reader, fragment):
    message = refused(tmp_path, reader)
    assert fragment in message and str(tmp_path) in message


EMPTY_LIST = {
    "table": "is empty. Its first line must name path and text",
    "commonvoice": "lists no clips",
    "librispeech": None,  # a chapter without utterances is none
    "mls": "is empty",
    "golos": "is empty",
    "an4": "the two lists in",
    "kaldi": "lists no utterances",
    "lhotse": "has no cuts",
}


@pytest.mark.parametrize(("reader", "fragment"), EMPTY_LIST.items())
def test_empty_list(tmp_path, reader, fragment):
    good(tmp_path, reader).write_bytes(b"")
    assert fragment in refused(tmp_path, reader) if fragment else listing(tmp_path, reader) == []


@pytest.mark.parametrize("reader", READERS)
def test_another_encoding(tmp_path, reader):
    path = good(tmp_path, reader)
    if reader == "an4":
        path = path.with_suffix(".transcription")
    content = path.read_text() + ("да" if reader != "lhotse" else CUT) + "\n"
    path.write_bytes(content.replace("ONE", "ОДИН").replace("jeden", "один").encode("cp1251"))
    message = refused(tmp_path, reader)
    if reader == "lhotse":
        assert f"{path} cannot be read as Lhotse cuts" in message
    else:
        assert f"{path} is not UTF-8: line " in message and "Save it as UTF-8" in message


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "lhotse"])
def test_utf_16(tmp_path, reader):
    path = good(tmp_path, reader)
    path.write_bytes(path.read_text().encode("utf-16"))
    assert f"{path} is UTF-16. Save it as UTF-8" in refused(tmp_path, reader)


@pytest.mark.parametrize("reader", READERS)
def test_windows_line_ends(tmp_path, reader):
    path = good(tmp_path, reader)
    before = listing(tmp_path, reader)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert listing(tmp_path, reader) == before


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "lhotse"])
def test_byte_order_mark(tmp_path, reader):
    path = good(tmp_path, reader)
    before = listing(tmp_path, reader)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert listing(tmp_path, reader) == before


@pytest.mark.parametrize("reader", NAMING)
def test_absolute_and_relative_paths(tmp_path, reader):
    for n, audio in enumerate((f"{tmp_path}/audio/x.wav", "sub/x.wav")):
        folder = tmp_path / str(n)
        good(folder, reader, audio)
        file = tmp_path / "audio/x.wav"
        if n:
            file = folder / ("clips" if reader == "commonvoice" else ".") / audio
        write(file, b"")
        assert listing(folder, reader)[0].audio == file


MALFORMED = {  # the list, and what is said of it
    "table": ("file\ttext\na.wav\tда\n", "lacks the column(s) path"),
    "commonvoice": ("client_id\tfile\tsentence\nx\ta.mp3\tда\n", "lacks the column(s) path"),
    "golos": ('{"audio_filepath": "a.wav"}\n', "line 1 is not a JSON object .* It lacks 'text'"),
    "an4": ("an4_clstk/f/an2-f-b\n", "line 1 is not 'WORDS \\(an2-f-b\\)'"),
    "kaldi": ("a sph2pipe -f wav a.sph |\n", "line 1: .* is a command, and commands are not run"),
    "lhotse": ('{"id": 1}\n', "cannot be read as Lhotse cuts"),
}


@pytest.mark.parametrize("reader", MALFORMED)
def test_missing_columns_and_lines_of_another_form(tmp_path, reader):
    content, fragment = MALFORMED[reader]
    good(tmp_path, reader).write_text(content)
    message = refused(tmp_path, reader)
    pattern = fragment if "\\" in fragment or ".*" in fragment else re.escape(fragment)
    assert re.search(pattern, message), message


LONG_OFFSET = '{"audio_filepath": "a.wav", "text": "a", "offset": 1e999, "duration": 1}'


@pytest.mark.parametrize(
    "content", ["[]", '"a"', "17", "nonsense", '{"audio_filepath": 3}', LONG_OFFSET]
)
def test_golos_lines_that_are_no_objects(tmp_path, content):
    good(tmp_path, "golos").write_text(f"{GOLOS}\n{content}\n")
    assert "manifest.jsonl, line 2 is not a JSON object" in refused(tmp_path, "golos")


@pytest.mark.parametrize(
    ("file", "content", "fragment"),
    [
        ("wav.scp", "a\n", "line 1: the path is missing"),
        ("wav.scp", "a |cat a.wav\n", "line 1: .* is a command, and commands are not run"),
        ("wav.scp", "a b/raw.ark:17\n", "'b/raw.ark:17' is in an archive"),
        ("segments", "s a 0\n", "segments, line 1 is not 'utterance recording start end'"),
        ("segments", "s a zero one\n", "segments, line 1 is not 'utterance recording start end'"),
        ("text", "b да\nb нет\n", "text, line 2: 'b' appears twice"),
        (
            "feats.scp",
            "a copy-feats x ark:- |\n",
            "feats.scp, line 1: .* is not a place in an archive",
        ),
        ("feats.scp", "a raw.ark\n", "feats.scp, line 1: 'raw.ark' is not a place in an archive"),
    ],
)
def test_kaldi_folders(tmp_path, file, content, fragment):
    good(tmp_path, "kaldi")
    if file == "feats.scp":
        (tmp_path / "wav.scp").unlink()
    write(tmp_path / file, content)
    with pytest.raises(UserError, match=fragment):
        listing(tmp_path, "kaldi")


def test_a_kaldi_folder_with_nothing_to_hear(tmp_path):
    good(tmp_path, "kaldi").unlink()
    assert "has neither wav.scp nor feats.scp" in refused(tmp_path, "kaldi")


@pytest.mark.parametrize(
    ("reader", "fragment"),
    [
        ("commonvoice", "has no language 'xx'; it has en, ru. Name the language's own folder"),
        ("mls", "nor a folder mls_xx with it; its languages: mls_polish."),
    ],
)
def test_unknown_language(tmp_path, reader, fragment):
    for name in ("ru", "en") if reader == "commonvoice" else ("mls_polish",):
        good(tmp_path / name, reader)
    assert fragment in refused(tmp_path, reader, language="xx")


@pytest.mark.parametrize("reader", ["commonvoice", "librispeech", "mls", "golos", "an4", "kaldi"])
def test_unknown_part(tmp_path, reader):
    request = CorpusRequest(tmp_path, tmp_path, part="training", path=tmp_path)
    with pytest.raises(UserError, match=f"Corpus '{reader}' has no part 'training'. Its parts: "):
        list(corpus.listing(reader, request))


def test_a_part_that_librispeech_lacks(tmp_path):
    good(tmp_path / "LibriSpeech/dev-clean", "librispeech")
    fragment = "has no part 'test-clean'; its parts: dev-clean."
    assert fragment in refused(tmp_path, "librispeech", part="test-clean")


def test_a_folder_without_clips(tmp_path):
    good(tmp_path, "commonvoice")
    (tmp_path / "clips").rmdir()
    assert "has no folder 'clips'" in refused(tmp_path, "commonvoice")


PEAK = """
import sys, tracemalloc
from pathlib import Path
from cascade.corpora import corpus
reader, folder = sys.argv[1], Path(sys.argv[2])
request = corpus.CorpusRequest(folder, folder, path=folder, language="ru")
next(corpus.listing(reader, request))  # the modules that it imports are not measured
tracemalloc.start()
print(sum(1 for _ in corpus.listing(reader, request)), tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("reader", ["table", "commonvoice", "mls", "golos", "kaldi"])
def test_long_lists_take_no_memory(tmp_path, reader):
    """Lines are read as they are asked for: 8 bytes of each are kept at most."""
    path = good(tmp_path, reader)
    *head, line = path.read_text().splitlines(keepends=True)
    lines = 10_000
    with path.open("w") as stream:
        stream.writelines(head)
        stream.writelines(line.replace("a", f"a{n}", 1) for n in range(lines))
    if reader == "kaldi":
        for name in ("text", "utt2spk"):
            with (tmp_path / name).open("w") as stream:
                stream.writelines(f"a{n} да\n" for n in range(lines))
    # In a process of its own. Within the suite, the first case measured six times as much.
    command = [sys.executable, "-c", PEAK, reader, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed, peak = map(int, done.stdout.split())
    assert listed == lines
    assert peak < 2_500_000  # of utterances held, twice as much
