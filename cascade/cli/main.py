"""The command line: stages of a recipe, new recipes, phones, transcripts, tables."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from cascade.cli.options import parser
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe, recipe_in
from cascade.config.schema import sets
from cascade.pipeline.stages import run
from cascade.runtime.errors import UserError, explain
from cascade.runtime.project import RECIPES, ROOT

log = logging.getLogger("cascade")
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    options, rest = parser(__doc__).parse_known_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    signal.signal(signal.SIGTERM, _interrupt)  # ends as Ctrl-C does, with everything saved
    try:
        if options.command == "table":
            from cascade.scoring.speechbox import table

            _no_more(rest)
            print(table(options.logs))
        elif options.command == "new-recipe":
            _no_more(rest)
            print(_new_recipe(options))
        elif options.command == "phones":
            print(_phones(options, _overrides(rest)))
        elif options.command == "transcribe":
            _transcribe(options, _overrides(rest))
        else:
            _run(options, _overrides(rest))
    except UserError as error:
        print(f"cascade: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = "Without --force the" if getattr(options, "force", False) else "The"
        more = f" {again} same command goes on from here." if options.command == "run" else ""
        print(f"\ncascade: stopped.{more}", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"cascade: {explain(error)}", file=sys.stderr)
        return 1
    return 0


def _new_recipe(options: argparse.Namespace) -> str:
    from cascade.drafting.new_recipe import new_recipe

    if options.nj < 1:
        raise UserError("--nj must be at least 1.")
    path = Path(options.name).absolute()
    if path.suffix != ".yaml":
        path = RECIPES / options.name / "recipe.yaml"
    if path.exists() and not options.force:
        raise UserError(f"There is {_from_root(path)} already: choose another name, or --force.")
    speech = [_speech(option) for option in (options.target, *options.ext)]
    os.chdir(ROOT)
    found = new_recipe(path, speech[0], speech[1:], Path("downloads"), Path("data"), options.nj)
    run = f"./run.sh --recipe {options.name}"
    return (
        f"{found}\n\n{_from_root(path)} is written. Next:\n"
        f"  {run} --check   # listens to every utterance\n"
        f"  {run}           # trains, decodes and scores"
    )


def _speech(option: str) -> tuple[str, str]:
    """``LANG:FOLDER``; the folder is looked for from here, and named as from the project's."""
    language, colon, where = option.partition(":")
    if not (language and colon and where):
        raise UserError(f"'{option}' must be LANG:FOLDER, such as ru:/data/my_recordings.")
    path = Path(where).expanduser()
    return language, str(_from_root(path) if path.exists() else where)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace, overrides: dict[str, str]) -> None:
    if options.nj < 1:
        raise UserError("--nj must be at least 1.")
    if options.stop_stage < options.stage:
        raise UserError(f"--stop-stage {options.stop_stage} comes before --stage {options.stage}.")
    if options.exp and options.folder:
        raise UserError("--exp and --folder both name a place; give one of them.")
    path = _from_root(_recipe_file(options.recipe))
    folder = options.folder and _from_root(Path(options.folder))
    experiment = _experiment(options, overrides)
    if folder:
        experiment = replace(experiment, layout=replace(experiment.layout, root=folder))
    numbers = [0] if options.check else range(options.stage, options.stop_stage + 1)
    if options.sweep is not None or options.search:
        _points(options, overrides, path, experiment.layout, numbers)
        return
    if options.seeds is not None:
        raise UserError(
            "--seeds goes with --sweep or --search, such as --sweep target_minutes=5,15,all"
        )
    force = options.force or options.check
    run(experiment, numbers, options.nj, force, options.dry_run)


def _experiment(options: argparse.Namespace, overrides: dict[str, str]) -> Experiment:
    """The experiment of a command line; the working folder is the project's from here on."""
    exp = _from_root(Path(options.exp)) if options.exp else Path("exp")
    recipe = read_recipe(_recipe_file(options.recipe), overrides)
    for key in (key for key in overrides if key.startswith("train.")):
        for name, system in recipe.systems.items():
            if sets(system.train, key.split(".")[1:]):
                log.warning("warning: --%s is not for system '%s': it has its own.", key, name)
    os.chdir(ROOT)  # so that paths in manifests and scps are relative, as Kaldi's are
    return Experiment(recipe, Layout(exp / recipe.name, Path("downloads"), Path("data")))


def _phones(options: argparse.Namespace, overrides: dict[str, str]) -> str:
    from cascade.inventory.report import report

    candidates: dict[str, Path | None] = {}
    for word in filter(None, options.voices.split(",")):
        voice, named, file = word.partition("=")
        candidates[voice.strip()] = Path(file).resolve() if named else None
    return report(_experiment(options, overrides), candidates, options.within)


def _transcribe(options: argparse.Namespace, overrides: dict[str, str]) -> None:
    from cascade.cli.transcribe import choose, transcribe

    if options.channel is not None and options.channel < 0:
        raise UserError("--channel counts from 0.")
    paths = [Path(os.path.abspath(path)) for path in options.audio]  # from here, not from ROOT
    experiment = _experiment(options, overrides)
    system = choose(experiment, options.system)
    decoded = transcribe(experiment, system, paths, options.channel, options.times)
    for name, found in zip(options.audio, decoded, strict=True):
        if options.times:
            for word, start, seconds, sure in found.timed:
                print(f"{name}\t{start:.2f}\t{seconds:.2f}\t{sure:.2f}\t{word}", flush=True)
        else:
            units = found.phones_ngram if options.phones else found.words
            print(f"{name}\t{' '.join(units)}", flush=True)


def _points(
    options: argparse.Namespace,
    overrides: dict[str, str],
    path: Path,
    layout: Layout,
    numbers: Sequence[int],
) -> None:
    """A sweep, or a search."""
    from cascade.sweeps import plan, sweep

    if options.sweep is not None and options.search:
        raise UserError("--sweep and --search are two runs; give one of them.")
    if options.check or options.folder:
        raise UserError("--sweep and --search go with neither --check nor --folder.")
    seeds = 1 if options.seeds is None else options.seeds

    def read(more: Mapping[str, str]) -> Recipe:
        return read_recipe(path, overrides | more)

    if options.search:
        points = plan.search_plan(read, options.search, seeds, layout)
        numbers = [number for number in numbers if number <= plan.TRAINED]
        if not numbers:
            raise UserError(f"A search ends with stage {plan.TRAINED}; --stage comes after it.")
    else:
        points = plan.plan(read, options.sweep, seeds, layout)
    if options.dry_run:
        sweep.show(points, numbers, options.force)
        return
    common = ["--recipe", str(path), "--stage", str(numbers[0]), "--stop-stage", str(numbers[-1])]
    common += [f"--{key}={value}" for key, value in overrides.items()]
    if options.search:
        from cascade.sweeps.search import publish  # heavy
    else:
        from cascade.sweeps.outputs import publish
    keep = partial(publish, path.parent)
    sweep.run(points, common, numbers, options.nj, options.force, keep)


def _from_root(path: Path) -> Path:
    """``path`` from the project's folder on, where it is in there.

    So that paths in manifests and scps are relative, as Kaldi's are.
    """
    path = Path(os.path.abspath(path))  # not resolved: exp may be a link to another disk
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _recipe_file(name: str) -> Path:
    """The file of a recipe that is given by its folder in ``recipes/``, or by a path."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json"):
        return path
    if found := recipe_in(RECIPES / name):
        return found
    known = sorted(p.name for p in (RECIPES).iterdir() if p.is_dir())
    raise UserError(f"There is no recipe '{name}'; there are {', '.join(known)}.")


def _overrides(rest: Sequence[str]) -> dict[str, str]:
    """``--key value`` and ``--key=value`` pairs that are left: keys of the recipe."""
    found = {}
    words = iter(rest)
    for word in words:
        if not word.startswith("--") or word == "--":
            raise UserError(f"'{word}' is no option; options look like --key value. See --help.")
        key, equals, value = word[2:].partition("=")
        if not equals:
            value = next(words, None)
            if value is None:
                raise UserError(f"The option --{key} has no value.")
        found[key] = value
    return found


def _no_more(rest: Sequence[str]) -> None:
    if rest:
        raise UserError(f"Unknown option {rest[0]}.")
