"""What readers say of folders that are not as they should be.

Each case is a small folder that is really given to a reader; its message goes into the page.
"""

import tempfile
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from cascade.corpora import corpus, detection
from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError

LISTED = ("table", "commonvoice", "librispeech", "mls", "golos", "an4", "kaldi", "lhotse")
READERS = (*LISTED, "beside")
GOLOS = '{"id": "a", "audio_filepath": "a.wav", "text": "да", "duration": 1.0}'
CLIPS = {"clips/a.mp3": ""}
AN4 = {"wav/a.wav": "", "etc/an4_train.fileids": "f/an1-f-b\n"}
KALDI = {"wav.scp": "a a.wav\n", "text": "a да\n", "utt2spk": "a x\n"}
ENCODING = "cp1251"

Files = dict[str, str | bytes]


@dataclass(frozen=True)
class Case:
    """Files of a folder, and what is asked of it; ``reader`` is None for ``new-recipe``."""

    reader: str | None
    files: Files = field(default_factory=dict)
    inside: str = ""
    part: str | None = None
    language: str = "ru"


def _cases(files: dict[str, Files], **asked: str) -> list[Case]:
    return [Case(reader, given, **asked) for reader, given in files.items()]


CASES = {
    "A folder that does not exist": [Case(reader, inside="nowhere") for reader in READERS],
    "An empty folder": [Case(reader) for reader in LISTED],
    "An empty list": _cases(
        {
            "table": {"table.tsv": ""},
            "commonvoice": {**CLIPS, "validated.tsv": ""},
            "mls": {"train/transcripts.txt": ""},
            "golos": {"manifest.jsonl": ""},
            "kaldi": {**KALDI, "wav.scp": ""},
            "lhotse": {"cuts.jsonl": ""},
        }
    ),
    "Another encoding (here Windows-1251)": _cases(
        {
            "table": {"table.tsv": "path\ttext\na.wav\tда\n".encode(ENCODING)},
            "commonvoice": {
                **CLIPS,
                "validated.tsv": "client_id\tpath\tsentence\nx\ta.mp3\tда\n".encode(ENCODING),
            },
            "librispeech": {"1/2/1-2.trans.txt": "1-2-0000 ОДИН\n".encode(ENCODING)},
            "mls": {"train/transcripts.txt": "1_2_000000\tодин\n".encode(ENCODING)},
            "golos": {"manifest.jsonl": GOLOS.encode(ENCODING)},
            "kaldi": {**KALDI, "text": "a да\n".encode(ENCODING)},
        }
    ),
    "UTF-16": _cases({"table": {"table.tsv": "path\ttext\na.wav\tда\n".encode("utf-16")}}),
    "Missing columns, lines of another form": _cases(
        {
            "table": {"table.tsv": "file\ttext\na.wav\tда\n"},
            "commonvoice": {**CLIPS, "validated.tsv": "client_id\tfile\tsentence\nx\ta.mp3\tда\n"},
            "golos": {"manifest.jsonl": '{"audio_filepath": "a.wav"}\n'},
            "an4": {**AN4, "etc/an4_train.transcription": "<s> ONE </s> (an2-f-b)\n"},
            "kaldi": {**KALDI, "wav.scp": "a sph2pipe -f wav a.sph |\n"},
            "lhotse": {"cuts.jsonl": '{"id": 1}\n'},
        }
    ),
    "Kaldi folders": [
        Case("kaldi", files)
        for files in (
            {**KALDI, "wav.scp": "a\n"},
            {**KALDI, "wav.scp": "a b/raw.ark:17\n"},
            {**KALDI, "segments": "s a 0\n"},
            {**KALDI, "text": "b да\nb нет\n"},
            {"text": "a да\n", "utt2spk": "a x\n"},
            {"feats.scp": "a copy-feats x ark:- |\n", "text": "a да\n", "utt2spk": "a x\n"},
        )
    ],
    "A language that is not there": _cases(
        {
            "commonvoice": {"ru/validated.tsv": "", "en/validated.tsv": ""},
            "mls": {"mls_polish/train/transcripts.txt": ""},
        },
        language="xx",
    ),
    "A part that is not there": [Case(reader, part="training") for reader in READERS],
    "An utterance that is listed twice": _cases(
        {"table": {"table.tsv": "path\ttext\tid\na.wav\tда\ta\nb.wav\tнет\ta\n"}}
    ),
    "A folder or file that `new-recipe` does not know": [
        Case(None, {"list.csv": "file,transcript\na.wav,да\n", "a.wav": ""}),
        Case(None, {"dev_2/text": "a да\n", "dev_2/wav.scp": "a a.wav\n"}),
        Case(None, {"a_recordings_dev.jsonl": "{}\n", "a_supervisions_dev.jsonl": "{}\n"}),
        Case(None, {"a.tar.gz": ""}, inside="a.tar.gz"),
        Case(None, {"a.wav": ""}),
    ],
}


def tables() -> str:
    """A table for each kind of mistake."""
    return "\n\n".join(_table(title, cases) for title, cases in CASES.items())


def _table(title: str, cases: list[Case]) -> str:
    rows = [f"| {f'`{case.reader}`' if case.reader else ''} | {message(case)} |" for case in cases]
    return "\n".join([f"## {title}\n", "| reader | message |", "| --- | --- |", *rows])


def message(case: Case) -> str:
    """The message of a case, as Markdown; raises `AssertionError` where nothing is refused."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in case.files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        path = Path(folder, case.inside)
        request = CorpusRequest(Path(folder), Path(folder), case.part, path, case.language)
        try:
            if case.reader:
                list(corpus.listing(case.reader, request))
            else:
                detection.find_parts(str(path), request)
        except UserError as error:
            text = escape(str(error).replace(folder, "FOLDER"), quote=False)
            return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")
    raise AssertionError(f"{case} is not refused")
