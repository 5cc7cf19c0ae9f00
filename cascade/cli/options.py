"""The options of every command."""

import argparse
import os
from pathlib import Path

from cascade.cli.live_options import listen, serve
from cascade.cli.model_options import align, score, transcribe
from cascade.pipeline.stages import LAST, STAGES
from cascade.runtime.project import ROOT


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of all commands; ``command`` is the name of the one given."""
    commands = argparse.ArgumentParser(prog="cascade", description=description, allow_abbrev=False)
    subparsers = commands.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(subparsers)
    _new_recipe(subparsers)
    _phones(subparsers)
    transcribe(subparsers)
    score(subparsers)
    align(subparsers)
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
    new.add_argument(
        "--texts",
        action="append",
        default=[],
        metavar="FILE",
        help="texts of the target language for the language model, UTF-8, a sentence a line; may be"
        " given several times",
    )
    new.add_argument(
        "--untranscribed",
        action="append",
        default=[],
        metavar="FOLDER",
        help="recordings of the target language without transcripts: a trained system recognises"
        " them, and another one trains on that; may be given several times",
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
