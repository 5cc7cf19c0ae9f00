"""The model that a command names: a system of a recipe, or a bundle."""

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.recognition.recordings import TextModel
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk


def model_of(
    options: argparse.Namespace,
    experiment: Callable[[], Experiment],
    keys: dict[str, str],
    stack: ExitStack,
    hypotheses: Callable[[int], int],
) -> TextModel:
    """Return the model that recognises, not loaded yet.

    ``experiment`` reads the recipe, if no bundle is given; ``keys`` are those of the recipe on
    the command line. ``stack`` keeps a bundle open. ``hypotheses`` maps the usual length of n-best
    lists to the one that is needed.
    """
    if options.channel is not None and options.channel < 0:
        raise UserError("--channel must be at least 0.")
    if options.bundle:
        options.bundle = on_disk(options.bundle)
        return _packed(options, keys, stack, hypotheses)
    from cascade.recognition.trained_system import TrainedSystem, choose

    if options.int8:
        raise UserError("--int8 needs --bundle.")
    options.recipe = options.recipe or "ru_en"
    read = experiment()
    system = choose(read, options.system)
    return TrainedSystem(read, system, hypotheses(read.recipe.decode.nbest))


def folder_of(options: argparse.Namespace, suffix: str) -> tuple[str, Path]:
    """Return the speech that a command reads, a path or a corpus, and the folder of its results.

    That is ``--out``, or the name of the speech with ``suffix``.
    """
    where = on_disk(Path(os.path.abspath(options.folder)))  # before chdir
    name = where.stem if where.is_file() else where.name
    if not (name or options.out):
        raise UserError(f"{where} has no name for its results. Give them a folder: --out DIR.")
    out = Path(os.path.abspath(options.out or where.parent / f"{name}{suffix}"))
    return str(where) if where.exists() else options.folder, out


def _packed(
    options: argparse.Namespace,
    keys: dict[str, str],
    stack: ExitStack,
    hypotheses: Callable[[int], int],
) -> TextModel:
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
    return PackedSystem(bundle, hypotheses(bundle.manifest.words.nbest), network)
