"""The options of every command."""

import argparse
import os
from pathlib import Path

from cascade.cli.live_options import listen, serve
from cascade.pipeline.stages import LAST, STAGES
from cascade.runtime.project import ROOT

LEAST_SCORE = -2.5  # of an utterance that fits its text; measured in docs/howto/align.md


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of all commands; ``command`` is the name of the one given."""
    commands = argparse.ArgumentParser(prog="cascade", description=description, allow_abbrev=False)
    subparsers = commands.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(subparsers)
    _new_recipe(subparsers)
    _phones(subparsers)
    _transcribe(subparsers)
    _align(subparsers)
    listen(subparsers)
    serve(subparsers)
    _report(subparsers)
    table = subparsers.add_parser(
        "table",
        help="print the rates of SpeechBox logs",
        description="Prints WER, WERc, PER and PERc of each log as a table.",
    )
    table.add_argument(
        "logs",
        nargs="+",
        type=Path,
        metavar="LOG",
        help="speechbox.log files, such as stage 5 writes",
    )
    return commands


def run_help() -> str:
    """Return the help of ``run.sh``, which is that of the command ``run``, too."""
    script = (ROOT / "run.sh").read_text(encoding="utf-8")
    return script.partition("<<'USAGE'\n")[2].partition("USAGE\n")[0]


class _RunHelp(argparse.Action):
    """Prints `run_help`: the options of ``run`` are explained in one place."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(run_help(), end="")
        parser.exit()


def _run(subparsers: argparse._SubParsersAction) -> None:
    run = subparsers.add_parser(
        "run", help="run stages of a recipe", add_help=False, allow_abbrev=False
    )
    run.add_argument("-h", "--help", action=_RunHelp, nargs=0)
    run.add_argument("--recipe", default="ru_en")
    run.add_argument("--stage", type=int, default=0, choices=list(STAGES))
    run.add_argument("--stop-stage", type=int, default=LAST, choices=list(STAGES))
    run.add_argument("--nj", type=int, default=os.cpu_count() or 1)
    run.add_argument("--gpus", type=int)
    run.add_argument("--dask", metavar="ADDRESS")
    run.add_argument("--cluster", choices=("slurm", "pbs", "sge", "lsf", "ssh"))
    run.add_argument("--cluster-training", action="store_true")
    run.add_argument("--exp")
    run.add_argument("--folder")
    run.add_argument("--sweep", metavar="KEY=VALUE,...")
    run.add_argument("--search", metavar="KEY=VALUE,...", action="append")
    run.add_argument("--seeds", type=int)
    run.add_argument("--add", action="store_true")
    run.add_argument("--force", action="store_true")
    run.add_argument("--dry-run", action="store_true")
    run.add_argument("--check", action="store_true")


def _new_recipe(subparsers: argparse._SubParsersAction) -> None:
    new = subparsers.add_parser(
        "new-recipe",
        help="write a recipe for other languages from folders of their speech",
        description="Reads folders of speech and writes recipes/NAME/recipe.yaml with comments."
        " Prints hours, speakers and words, the phones that the languages share, and what will be"
        " left out and why. Trains nothing and changes no recording.",
        epilog="Reads Kaldi data folders, Common Voice, LibriSpeech, MLS, Golos, AN4, Lhotse"
        " cuts, a table (table.tsv with the columns path and text, and perhaps speaker, start and"
        " end), and recordings with their text beside them (x.wav, x.txt). Keeps the parts that a"
        " corpus has. If it has none, training, validation and test are split by speaker, or by"
        " utterance or sentence if there are too few speakers."
        "  e.g.: cascade new-recipe my_pair --target ru:/data/mine --ext en:/data/cv/en",
        allow_abbrev=False,
    )
    new.add_argument("name", metavar="NAME", help="a new folder in recipes/, or a .yaml file")
    where = "LANG is a language that espeak-ng knows (ru, en, fr, cs ...)"
    new.add_argument(
        "--target",
        action="append",
        required=True,
        metavar="LANG:FOLDER",
        help=f"the language to recognise, and its speech; {where}",
    )
    new.add_argument(
        "--ext",
        action="append",
        default=[],
        metavar="LANG:FOLDER",
        help="a second language to train on, and its speech; may be given several times. In"
        " place of a folder, a corpus of local/corpora may be named: en:synth_en",
    )
    new.add_argument(
        "--borrowed",
        type=int,
        default=0,
        metavar="MINUTES",
        help="train beside borrowed voices, too: texts of the target language, read by synthetic"
        " voices of other languages. Stage 0 makes them; 20 minutes are enough to try",
    )
    new.add_argument("--nj", type=int, default=os.cpu_count() or 1, help="processes at once")
    new.add_argument("--force", action="store_true", help="overwrite an existing recipe")


def _phones(subparsers: argparse._SubParsersAction) -> None:
    phones = subparsers.add_parser(
        "phones",
        help="compare the phones of a recipe's languages, and of others",
        description="Prints which phones the recipe's languages share, which only one of them"
        " has, the nearest phones to those, and how much of the target's running speech that"
        " covers. Draws exp/NAME/phones.svg. Trains nothing. Phones are counted in the"
        " transcripts of stage 1 if it has run; otherwise espeak-ng pronounces the transcripts"
        " or texts of the recipe.",
        epilog="e.g.: cascade phones ru_en --with cs,es,uk=my_text.txt",
        allow_abbrev=False,
    )
    phones.add_argument(
        "recipe", nargs="?", default="ru_en", help="a folder of recipes/, or a file"
    )
    phones.add_argument(
        "--with",
        dest="voices",
        default="",
        metavar="VOICE[=FILE],...",
        help="more languages to compare with the target, by their espeak-ng names (cs, fr-fr)."
        " Their words come from the text FILE, or from free texts (67 MB, fetched once)",
    )
    phones.add_argument(
        "--within",
        type=float,
        default=1.0,
        metavar="N",
        help="the largest distance in features between a phone and its nearest one (1)",
    )
    phones.add_argument("--exp", help="the folder of experiments (exp)")


def _transcribe(subparsers: argparse._SubParsersAction) -> None:
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


def _align(subparsers: argparse._SubParsersAction) -> None:
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


def _report(subparsers: argparse._SubParsersAction) -> None:
    report = subparsers.add_parser(
        "report",
        help="write the report of an experiment again, or of several, or of a sweep",
        description="Writes report.html into the folder of an experiment whose stages 0 to 5 have"
        " run, as stage 6 does. Of several experiments, writes one page with their answers and"
        " error rates side by side. Of the folder of a recipe that has a sweep, writes the page of"
        " the sweep.",
        epilog="e.g.: cascade report exp/ru_en exp/ru_cs --out exp/pairs.html;"
        " cascade report recipes/ru_many",
        allow_abbrev=False,
    )
    report.add_argument(
        "experiments",
        nargs="+",
        type=Path,
        metavar="EXP",
        help="folders such as exp/ru_en, or recipes/ru_many for its sweep",
    )
    report.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page of several experiments (default: report.html in the folder that has the"
        " first one) or of a sweep (default: exp/NAME/sweep.html)",
    )
