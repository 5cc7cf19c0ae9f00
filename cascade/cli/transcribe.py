"""The command `transcribe`: what is asked for, and who recognises it."""

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from cascade.cli.models import model_of
from cascade.config.experiment import Experiment
from cascade.recognition import formats
from cascade.recognition.recordings import transcribe
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk

FORMATS = {  # by option; the last ones need words with times
    "phones": formats.phones,
    "times": formats.times,
    "nbest": formats.nbest,
    "json": formats.as_json,
    "srt": formats.srt,
    "vtt": formats.vtt,
}


def print_transcripts(
    options: argparse.Namespace, experiment: Callable[[], Experiment], keys: dict[str, str]
) -> None:
    """Print what was recognised in the recordings of a command line.

    ``experiment`` reads the recipe, if no bundle is given; ``keys`` are those of the recipe on
    the command line.
    """
    if options.nbest is not None and options.nbest < 1:
        raise UserError("--nbest must be at least 1.")
    if (options.srt or options.vtt) and len(options.audio) > 1:
        raise UserError("--srt and --vtt take one recording. Run the command for each.")
    paths = [on_disk(Path(os.path.abspath(path))) for path in options.audio]  # before chdir
    name = next((name for name in FORMATS if getattr(options, name)), None)
    show = FORMATS[name] if name else formats.words
    with ExitStack() as stack:
        model = model_of(options, experiment, keys, stack, partial(_hypotheses, options))
        for path, recording in zip(
            options.audio,
            transcribe(model, paths, options.channel, options.adapt),
            strict=True,
        ):
            if text := show(str(path), recording):
                print(text, flush=True)


def _hypotheses(options: argparse.Namespace, usual: int) -> int:
    """Return the length of n-best lists; 0 for a search that needs no times of words."""
    if options.nbest:
        return int(options.nbest)
    timed = options.times or options.json or options.srt or options.vtt
    return max(usual, 1) if timed else 0
