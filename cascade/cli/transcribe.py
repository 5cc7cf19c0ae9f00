"""The command `transcribe`: what is asked for, and who recognises it."""

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.recognition import formats
from cascade.recognition.recordings import Model, transcribe
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
    if options.channel is not None and options.channel < 0:
        raise UserError("--channel must be at least 0.")
    if options.nbest is not None and options.nbest < 1:
        raise UserError("--nbest must be at least 1.")
    if (options.srt or options.vtt) and len(options.audio) > 1:
        raise UserError("--srt and --vtt take one recording. Run the command for each.")
    paths = [on_disk(Path(os.path.abspath(path))) for path in options.audio]  # before chdir
    options.bundle = options.bundle and on_disk(options.bundle)
    name = next((name for name in FORMATS if getattr(options, name)), None)
    show = FORMATS[name] if name else formats.words
    with ExitStack() as stack:
        model = _packed(options, keys, stack) if options.bundle else _trained(options, experiment)
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


def _packed(options: argparse.Namespace, keys: dict[str, str], stack: ExitStack) -> Model:
    from cascade.bundle.manifest import FLOAT32, INT8
    from cascade.bundle.reader import opened
    from cascade.recognition.packed_system import PackedSystem

    given = [name for name in ("recipe", "system", "exp") if getattr(options, name)]
    if options.adapt:
        raise UserError("--adapt needs --recipe: the network of a bundle cannot train.")
    if unused := [*given, *keys]:
        raise UserError(f"--bundle excludes --{unused[0]}: a bundle has its own.")
    bundle = stack.enter_context(opened(options.bundle))
    network = INT8 if options.int8 else FLOAT32
    if network not in bundle.manifest.files:
        raise UserError(f"{options.bundle} has no {network}: it had more errors. Omit --int8.")
    return PackedSystem(bundle, _hypotheses(options, bundle.manifest.words.nbest), network)


def _trained(options: argparse.Namespace, experiment: Callable[[], Experiment]) -> Model:
    from cascade.recognition.trained_system import TrainedSystem, choose

    if options.int8:
        raise UserError("--int8 needs --bundle.")
    options.recipe = options.recipe or "ru_en"
    read = experiment()
    system = choose(read, options.system)
    return TrainedSystem(read, system, _hypotheses(options, read.recipe.decode.nbest))
