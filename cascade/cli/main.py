"""Train and compare acoustic models on one language and on several: see COMMAND --help."""

import argparse
import importlib.util
import logging
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path

from cascade.cli.machines import cluster
from cascade.cli.options import parser
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe, recipe_in
from cascade.pipeline.stages import REPORT, STAGES, TORCHRUN, run
from cascade.runtime.errors import UserError, explain, nobody_reads
from cascade.runtime.file_names import on_disk
from cascade.runtime.project import RECIPES, ROOT
from cascade.runtime.threads import prepare_for_workers

log = logging.getLogger("cascade")
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended
UNREAD = 141  # as a shell reports a program whose output nobody reads any more


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    prepare_for_workers()
    given = sys.argv[1:] if arguments is None else arguments
    options, rest = parser(__doc__).parse_known_args([*joined(given)])
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    signal.signal(signal.SIGTERM, _interrupt)  # as Ctrl-C: state is saved
    try:
        if not getattr(options, "bundle", None):
            _check_packages()
        if options.command == "table":
            from cascade.scoring.speechbox import table

            _check_no_rest(rest)
            print(table(options.logs))
        elif options.command == "new-recipe":
            _check_no_rest(rest)
            print(_new_recipe(options))
        elif options.command == "report":
            from cascade.cli.reports import report

            _check_no_rest(rest)
            folders = [_from_root(folder) for folder in options.experiments]
            out = options.out and _from_root(options.out)
            os.chdir(ROOT)
            print(f"The report: {report(folders, out)}")
        elif options.command == "phones":
            print(_phones(options, _overrides(rest)))
        elif options.command == "transcribe":
            from cascade.cli.transcribe import print_transcripts

            keys = _overrides(rest)
            print_transcripts(options, lambda: _experiment(options, keys), keys)
        elif options.command == "score":
            from cascade.cli.score import score

            keys = _overrides(rest)
            print(score(options, lambda: _experiment(options, keys), keys))
        elif options.command == "align":
            from cascade.cli.align import align

            keys = _overrides(rest)
            print(align(options, lambda: _experiment(options, keys), keys))
        elif options.command in ("listen", "serve"):
            from cascade.cli import live

            _check_no_rest(rest)
            (live.listen if options.command == "listen" else live.serve)(options)
        else:
            _run(options, _overrides(rest))
        if sys.stdout:  # None where it was closed
            sys.stdout.flush()
    except UserError as error:
        print(f"cascade: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        how = ", without --force," if getattr(options, "force", False) else ""
        hint = f" Run the same command{how} to continue." if options.command == "run" else ""
        print(f"\ncascade: stopped.{hint}", file=sys.stderr)
        return INTERRUPTED
    except BrokenExecutor:
        print(
            "cascade: a worker process was killed, perhaps for lack of memory. Use fewer processes,"
            " such as --nj 1. If it happens again, a recording may crash its decoder.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError) and nobody_reads():
            return UNREAD
        print(f"cascade: {explain(error)}", file=sys.stderr)
        return 1
    return 0


def _new_recipe(options: argparse.Namespace) -> str:
    """Write a recipe; return the report on its speech and the next commands."""
    from cascade.drafting.new_recipe import More, new_recipe

    if options.nj < 1:
        raise UserError("--nj must be at least 1.")
    if options.borrowed < 0:
        raise UserError("--borrowed must not be negative.")
    path = on_disk(Path(options.name).absolute())
    if path.suffix != ".yaml":
        path = RECIPES / options.name / "recipe.yaml"
    if path.exists() and not options.force:
        raise UserError(f"{_from_root(path)} exists already. Choose another name, or --force.")
    if len(options.target) > 1:
        raise UserError("--target may be there once only. Put all its speech into one folder.")
    speech = [_speech(option) for option in (*options.target, *options.ext)]
    more = More(
        options.borrowed,
        [_where(folder) for folder in options.untranscribed],
        [_text(file) for file in options.texts],
    )
    os.chdir(ROOT)
    sources = Path("downloads"), Path("data")
    report = new_recipe(path, speech[0], speech[1:], *sources, options.nj, more)
    run = f"./run.sh --recipe {shlex.quote(options.name)}"
    return (
        f"{report}\n\nWrote {_from_root(path)}. Next:\n"
        f"  {run} --check   # checks every utterance\n"
        f"  {run}           # trains, decodes and scores"
    )


def _speech(option: str) -> tuple[str, str]:
    """Split ``LANG:FOLDER``; the folder's path becomes relative to the project's."""
    language, colon, where = option.partition(":")
    if not (language and colon and where):
        raise UserError(f"'{option}' must be LANG:FOLDER, such as ru:/data/my_recordings.")
    return language, _where(where)


def _where(where: str) -> str:
    """Return a folder's path relative to the project's, or the name of a corpus as it is."""
    path = Path(where).expanduser()
    return str(_from_root(path) if on_disk(path).exists() else where)


def _text(file: str) -> str:
    """Return the path of a text relative to the project's. Raises `UserError` if it is none."""
    path = Path(file).expanduser()
    try:
        words = sum(len(line.split()) for line in path.open(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--texts: {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"--texts: {file} is not UTF-8. Convert it: iconv -t UTF-8.") from None
    if not words:
        raise UserError(f"--texts: {file} has no words.")
    log.info("%s: %s words", file, f"{words:,}")
    return str(_from_root(path))


def _check_packages() -> None:
    """Raise `UserError` where only the packages that a bundle needs are installed."""
    if importlib.util.find_spec("lhotse") is None:
        raise UserError(
            "this Python has only the packages that a bundle needs. For all else, in the"
            " project's folder: . ./path.sh"
        )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace, overrides: dict[str, str]) -> None:
    """Run stages of a recipe, a sweep or a search."""
    if options.nj < 1:
        raise UserError("--nj must be at least 1.")
    if options.gpus is not None and options.gpus < 1:
        raise UserError("--gpus must be at least 1.")
    if TORCHRUN in os.environ and options.gpus:
        raise UserError("torchrun has started the processes of a training: leave --gpus out.")
    if options.stop_stage < options.stage:
        raise UserError(f"--stop-stage {options.stop_stage} comes before --stage {options.stage}.")
    if options.exp and options.folder:
        raise UserError("--exp and --folder exclude each other: give one of them.")
    path = _from_root(_recipe_file(options.recipe))
    folder = options.folder and _from_root(Path(options.folder))
    experiment = _experiment(options, overrides)
    if folder:
        experiment = replace(experiment, layout=replace(experiment.layout, root=folder))
    numbers = [n for n in STAGES if options.stage <= n <= options.stop_stage]
    if options.check:
        numbers = [0]
    if options.add and options.sweep is None:
        raise UserError("--add needs --sweep, such as --sweep target_minutes=40.")
    if options.sweep is not None or options.search:
        from cascade.cli.sweeps import run_sweep

        run_sweep(options, overrides, path, experiment.layout, numbers)
        return
    if options.seeds is not None:
        raise UserError(
            "--seeds needs --sweep or --search, such as --sweep target_minutes=5,15,all."
            " For one other seed: --seed 1."
        )
    force = options.force or options.check
    with cluster(options, experiment.layout):
        run(experiment, numbers, options.nj, force, options.dry_run, options.gpus)
    report = experiment.layout.report
    if REPORT in numbers and not options.dry_run and report.is_file():
        print(f"\nThe report: {report}")


def _experiment(options: argparse.Namespace, overrides: dict[str, str]) -> Experiment:
    """Return the experiment of a command line; change to the project's folder."""
    exp = _from_root(Path(options.exp)) if options.exp else Path("exp")
    recipe = read_recipe(_recipe_file(options.recipe), overrides)
    for key in (key for key in overrides if key.startswith("train.")):
        for name, system in recipe.systems.items():
            if system.has_own(key):
                log.warning("warning: --%s does not change system '%s': it has its own.", key, name)
    os.chdir(ROOT)  # paths in manifests and scps are relative, as in Kaldi
    return Experiment(recipe, Layout(exp / recipe.name, Path("downloads"), Path("data")))


def _phones(options: argparse.Namespace, overrides: dict[str, str]) -> str:
    """Return the report on the phones of a recipe's languages and of other voices."""
    from cascade.inventory.report import report

    candidates: dict[str, Path | None] = {}
    for word in filter(None, options.voices.split(",")):
        voice, equals, file = word.partition("=")
        candidates[voice.strip()] = on_disk(Path(file)).resolve() if equals else None
    return report(_experiment(options, overrides), candidates, options.within)


def _from_root(path: Path) -> Path:
    """Return ``path`` relative to the project's folder if it is in there, else absolute."""
    path = on_disk(Path(os.path.abspath(path)))  # not resolved: exp may be a link to another disk
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _recipe_file(name: str) -> Path:
    """Return the file of a recipe, which is named by its folder in ``recipes/`` or by a path."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json"):
        return on_disk(path)
    if file := recipe_in(RECIPES / name):
        return file
    names = sorted(folder.name for folder in RECIPES.iterdir() if folder.is_dir())
    raise UserError(f"Unknown recipe '{name}'. Known: {', '.join(names)}.")


def joined(arguments: Iterable[str]) -> Iterator[str]:
    """Yield arguments, a dotted key with its value: argparse would take the value for a file.

    >>> list(joined(["transcribe", "--train.steps", "300", "a.wav"]))
    ['transcribe', '--train.steps=300', 'a.wav']
    """
    words = iter(arguments)
    for word in words:
        alone = word.startswith("--") and "." in word and "=" not in word
        value = next(words, None) if alone else None
        yield word if value is None else f"{word}={value}"


def _overrides(rest: Sequence[str]) -> dict[str, str]:
    """Return the keys of the recipe among the options: ``--key value`` and ``--key=value``."""
    overrides = {}
    words = iter(rest)
    for word in words:
        if not word.startswith("--") or word == "--":
            raise UserError(f"Unknown option '{word}'. Options look like --key value; see --help.")
        key, equals, value = word[2:].partition("=")
        if not equals:
            try:
                value = next(words)
            except StopIteration:
                raise UserError(
                    f"The option --{key} has no value, or this command does not have it: see"
                    f" --help. A key of the recipe is written --{key}=VALUE."
                ) from None
        overrides[key] = value
    return overrides


def _check_no_rest(rest: Sequence[str]) -> None:
    """Raise `UserError` for an option of a command that takes no keys of a recipe."""
    if rest:
        raise UserError(f"Unknown option '{rest[0]}'. See --help.")
