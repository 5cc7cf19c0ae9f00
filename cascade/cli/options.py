"""The options of every command."""

import argparse
import os
from pathlib import Path

from cascade.pipeline.stages import LAST, STAGES


def parser(description: str | None) -> argparse.ArgumentParser:
    """Reads a command line: ``command`` says which one was given."""
    whole = argparse.ArgumentParser(prog="cascade", description=description, allow_abbrev=False)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(commands)
    _new_recipe(commands)
    _phones(commands)
    _transcribe(commands)
    tables = commands.add_parser("table", help="print the rates of SpeechBox logs")
    tables.add_argument("logs", nargs="+", type=Path, metavar="LOG")
    return whole


def _run(commands: argparse._SubParsersAction) -> None:
    stages = commands.add_parser(
        "run",
        help="run stages of a recipe",
        epilog="stages: " + "; ".join(f"{i} {entry.title}" for i, entry in enumerate(STAGES)),
        allow_abbrev=False,
    )
    stages.add_argument("--recipe", default="ru_en", help="a folder of recipes/, or a file")
    stages.add_argument("--stage", type=int, default=0, choices=range(LAST + 1))
    stages.add_argument("--stop-stage", type=int, default=LAST, choices=range(LAST + 1))
    stages.add_argument("--nj", type=int, default=os.cpu_count() or 1, help="processes at once")
    stages.add_argument("--exp", help="where experiments go (exp)")
    stages.add_argument("--folder", help="the experiment's own folder (EXP/NAME)")
    stages.add_argument("--sweep", metavar="KEY=VALUE,...", help="a run for each value and seed")
    stages.add_argument(
        "--search",
        metavar="KEY=VALUE,...",
        action="append",
        help="train every system with each value of a key of train; give it again for other keys",
    )
    stages.add_argument("--seeds", type=int, help="how many seeds a sweep or search has (1)")
    stages.add_argument("--force", action="store_true", help="run what is up to date, too")
    stages.add_argument("--dry-run", action="store_true", help="say what would run, and why")
    stages.add_argument("--check", action="store_true", help="check every utterance, and stop")


def _new_recipe(commands: argparse._SubParsersAction) -> None:
    new = commands.add_parser(
        "new-recipe",
        help="write a recipe for other languages from folders of their speech",
        description="Looks at folders of speech, writes recipes/NAME/recipe.yaml with comments,"
        " and prints what it found: hours, speakers, words, phones that the languages share,"
        " what will be left out and why. Nothing is trained, and no recording is changed.",
        epilog="Read are Kaldi data folders, Common Voice, LibriSpeech, MLS, Golos, AN4, Lhotse"
        " cuts, a table (table.tsv with the columns path and text, perhaps speaker, start, end),"
        " and recordings with their text beside them (x.wav, x.txt). The corpus's own parts are"
        " kept; where it has none, training, validation and test are split by speaker, or by"
        " utterance where speakers are not known."
        "  e.g.: cascade new-recipe my_pair --target ru:/data/mine --ext en:/data/cv/en",
        allow_abbrev=False,
    )
    new.add_argument("name", metavar="NAME", help="a new folder of recipes/, or a .yaml file")
    where = "LANG is a language that espeak-ng knows (ru, en, fr, cs ...)"
    new.add_argument(
        "--target",
        required=True,
        metavar="LANG:FOLDER",
        help=f"the language to recognise, and its speech; {where}",
    )
    new.add_argument(
        "--ext",
        action="append",
        default=[],
        metavar="LANG:FOLDER",
        help="a language to train beside it; several may be given. A corpus of local/ that is"
        " fetched may be named in place of a folder: en:synth_en",
    )
    new.add_argument("--nj", type=int, default=os.cpu_count() or 1, help="processes at once")
    new.add_argument("--force", action="store_true", help="overwrite a recipe that is there")


def _phones(commands: argparse._SubParsersAction) -> None:
    phones = commands.add_parser(
        "phones",
        help="compare the phones of a recipe's languages, and of others",
        description="Prints which phones the recipe's languages share, which are one's own,"
        " what comes nearest to those, and how much of the target's running speech that"
        " covers; draws it in exp/NAME/phones.svg. Nothing is trained. Counts are those of"
        " stage 1's transcripts where it has run, else espeak-ng's of the recipe's"
        " transcripts or texts.",
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
        help="more languages to compare with the target, by espeak-ng's names (cs, fr-fr);"
        " their words from FILE, any text, or else from free texts (67 MB, fetched once)",
    )
    phones.add_argument(
        "--within",
        type=float,
        default=1.0,
        metavar="N",
        help="how many features a neighbour may be away (1)",
    )
    phones.add_argument("--exp", help="where experiments go (exp)")


def _transcribe(commands: argparse._SubParsersAction) -> None:
    speech = commands.add_parser(
        "transcribe",
        help="put recordings into words",
        description="Decodes recordings that have no transcript with a system of a recipe whose"
        " stages 0 to 4 have run. Prints a line for each: its path and, behind a tab, its words."
        " Long recordings are searched in parts, cut at pauses.",
        epilog="Keys of the recipe that were changed in training must be given again, such as"
        " --features.rate=8000."
        "  e.g.: cascade transcribe --recipe ru_en --system lower a.wav b.flac",
        allow_abbrev=False,
    )
    speech.add_argument("audio", nargs="+", type=Path, metavar="AUDIO", help="recordings")
    speech.add_argument("--recipe", default="ru_en", help="a folder of recipes/, or a file")
    speech.add_argument(
        "--system", help="one of its systems (that with the fewest phone errors on valid)"
    )
    speech.add_argument("--exp", help="where experiments are (exp)")
    speech.add_argument(
        "--channel", type=int, metavar="N", help="of several the one, from 0 (the mean of all)"
    )
    units = speech.add_mutually_exclusive_group()
    units.add_argument("--phones", action="store_true", help="phones in place of words")
    units.add_argument(
        "--times",
        action="store_true",
        help="a line for each word: path, start and duration in seconds, confidence, word",
    )
