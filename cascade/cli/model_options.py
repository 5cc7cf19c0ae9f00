"""The options of the commands that take a trained model: `transcribe`, `score` and `align`."""

import argparse
import os
from pathlib import Path

LEAST_SCORE = -2.5  # of an utterance that fits its text; measured in docs/howto/align.md


def transcribe(subparsers: argparse._SubParsersAction) -> None:
    """Add the command `transcribe`."""
    speech = subparsers.add_parser(
        "transcribe",
        help="transcribe recordings",
        description="Decodes recordings with a system of a recipe whose stages 0 to 4 have run, or"
        " with a bundle, which needs neither recipe nor torch. Prints a line for each: its path, a"
        " tab, its words. Long recordings are cut at pauses and decoded in parts.",
        epilog="Repeat the keys of the recipe that you changed for the training, such as"
        " --features.rate=8000."
        "  e.g.: cascade transcribe --recipe ru_en --system both a.wav b.flac;"
        " cascade transcribe --bundle bundle.zip a.wav",
        allow_abbrev=False,
    )
    speech.add_argument("audio", nargs="+", type=Path, metavar="AUDIO", help="recordings")
    _add_model(speech)
    speech.add_argument(
        "--int8", action="store_true", help="the bundle's network with weights of 8 bits"
    )
    speech.add_argument(
        "--adapt",
        action="store_true",
        help="all recordings are of one speaker: recognise them, let a copy of the network train on"
        " that, and recognise them again",
    )
    units = speech.add_mutually_exclusive_group()
    units.add_argument("--phones", action="store_true", help="print phones in place of words")
    units.add_argument(
        "--times",
        action="store_true",
        help="print a line for each word: path, start and duration in seconds, confidence, word",
    )
    units.add_argument(
        "--nbest",
        type=int,
        metavar="N",
        help="print the N likeliest hypotheses, a line each: path, start of the part, rank, score,"
        " words",
    )
    units.add_argument(
        "--json", action="store_true", help="print a JSON object for each recording, on one line"
    )
    units.add_argument("--srt", action="store_true", help="print subtitles as SubRip has them")
    units.add_argument("--vtt", action="store_true", help="print subtitles as WebVTT has them")


def score(subparsers: argparse._SubParsersAction) -> None:
    """Add the command `score`."""
    rates = subparsers.add_parser(
        "score",
        help="measure the word error rate on recordings with their text",
        description="Recognises recordings with a system of a recipe whose stages 0 to 4 have run,"
        " or with a bundle, and compares the words with their text. Prints the word error rate with"
        " its 95 % interval, and what was left out. Reads the folders that new-recipe reads, and"
        " changes nothing in them.",
        epilog="e.g.: cascade score --bundle bundle.zip my_recordings;"
        " cascade score --recipe ru_en --system both table.tsv --adapt",
        allow_abbrev=False,
    )
    rates.add_argument("folder", metavar="FOLDER", help="recordings with their text")
    _add_model(rates)
    rates.add_argument(
        "--int8", action="store_true", help="the bundle's network with weights of 8 bits"
    )
    rates.add_argument(
        "--adapt",
        action="store_true",
        help="for each speaker: recognise all recordings, let a copy of the network train on that,"
        " and recognise them again",
    )
    rates.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where the details go, a new folder (FOLDER_scored)",
    )
    rates.add_argument("--nj", type=int, default=os.cpu_count() or 1, help="processes at once")


def align(subparsers: argparse._SubParsersAction) -> None:
    """Add the command `align`."""
    times = subparsers.add_parser(
        "align",
        help="find when each word and phone of recordings with their text is spoken",
        description="Aligns recordings with their text by a bundle of stage 7, or by a system of a"
        " recipe that stage 7 has packed. Writes a Praat TextGrid for each recording, and a table"
        " of all utterances, utterances.tsv, that says how well each fits its text. Reads the"
        " folders that new-recipe reads, and changes nothing in them.",
        epilog="e.g.: cascade align --bundle bundle.zip my_recordings;"
        " cascade align --bundle bundle.zip my_recordings --out times --formats textgrid,ctm",
        allow_abbrev=False,
    )
    times.add_argument("folder", metavar="FOLDER", help="recordings with their text")
    _add_model(times)
    times.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where the results go (FOLDER_aligned). With FOLDER itself, they are beside the"
        " recordings",
    )
    times.add_argument(
        "--formats",
        default="textgrid",
        metavar="A,B",
        help="textgrid: a TextGrid for each recording; ctm: words.ctm and phones.ctm; json:"
        " alignments.jsonl (textgrid)",
    )
    times.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="pronunciations that come before those of the bundle: lines 'word phone phone ...'",
    )
    times.add_argument(
        "--min-score",
        type=float,
        default=LEAST_SCORE,
        metavar="X",
        help=f"utterances with a lower score do not fit their text; 0 is perfect ({LEAST_SCORE})",
    )
    times.add_argument("--nj", type=int, default=os.cpu_count() or 1, help="processes at once")
    times.add_argument("--force", action="store_true", help="replace files that are there already")


def _add_model(command: argparse.ArgumentParser) -> None:
    """Add what says which model reads the recordings, and how."""
    command.add_argument(
        "--bundle",
        type=Path,
        help="a bundle of stage 7, a folder or a zip file, in place of a recipe",
    )
    command.add_argument("--recipe", help="a folder of recipes/, or a file (ru_en)")
    command.add_argument(
        "--system", help="one of its systems (the one with the fewest phone errors on valid)"
    )
    command.add_argument("--exp", help="the folder of experiments (exp)")
    command.add_argument(
        "--channel", type=int, metavar="N", help="which channel, from 0 (the mean of all)"
    )
