"""The jobs of stages 3 to 5: training, decoding, scoring."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cascade.bundle.reader import weight_files
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe
from cascade.config.schema import as_plain
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.origin import TRAINED_ON
from cascade.runtime.stage import Call, Job, JobFiles, one_by_one

TRAINING = "cascade.training.systems"
# Packages whose version decides a network, what is recognised, and the figures.
TRAINED_BY = ("torch", "numpy", "numba", "kaldialign")
DECODED_BY = ("torch", "numpy", "kaldi_decoder", "kaldifst")
SCORED_BY = ("kaldialign", "numpy", "scipy")
TUNED_BY = tuple(dict.fromkeys((*DECODED_BY, *SCORED_BY)))
MODEL = (
    *("model.safetensors", "model.json", "phones.txt", "train.jsonl", "ablation.json"),
    TRAINED_ON,
)
SCORED = (
    *("speechbox.log", "counts.tsv", "wer", "per", "confusions_words", "confusions_phones"),
    *(f"{name}{unit}" for name in ("per_utt", "per_spk", "ops") for unit in ("", "_phones")),
    *(f"{side}{unit}.trn" for side in ("ref", "hyp") for unit in ("", "_phones")),
)
DECODED = ("phones.txt", "phones_ngram.txt", "phones_words.txt", "words.txt", "decode.json")
PAGES = ("results.json", "RESULTS.md", "DETAILS.md", "curves.svg")


def systems(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 3: one for each system, and what its teacher has to do for it."""
    recipe, layout = experiment.recipe, experiment.layout
    jobs = [_word_search(experiment, teacher, processes) for teacher in recipe.teachers]
    for name, system in recipe.systems.items():
        speech = [d for stream in recipe.speech_of(name).values() for d in stream]
        data = [d for d in recipe.datasets if d.role == "valid" or d in speech]
        keys = [experiment.dataset_key(dataset) for dataset in data]
        # Not the texts of tests: one that is added later changes no training by itself.
        phones = [layout.phones_of(language) for language in recipe.streams_of(name).values()]
        settings = recipe.view("target", "seed", "features")
        settings["system"] = as_plain(system) | {"encoder": recipe.encoder_of(name)}
        settings["train"] = as_plain(recipe.train_of(name))
        for key in ("checkpoint_every", "workers"):  # change no result
            settings["train"].pop(key)
        settings["train"].pop("min_confidence")  # the transcripts have it
        settings["datasets"] = [as_plain(dataset) for dataset in data]
        folder, start = layout.system(name), experiment.start(name)
        first = weight_files(start) if start else []
        outputs = [*MODEL, "start.tsv"] if start else MODEL
        recognised = []
        if system.teacher:
            jobs.append(transcribe := _transcripts(experiment, name, system.teacher, processes))
            recognised = [path for path in transcribe.outputs if path.suffix == ".phones"]
        jobs.append(
            Job(
                name=name,
                settings=settings,
                inputs=(*_data_inputs(layout, keys), *phones, layout.phones, *first, *recognised),
                outputs=tuple(folder / file for file in outputs),
                run=Call(TRAINING, "train_systems"),  # see `run_training`
                packages=TRAINED_BY,
                unfinished=tuple(
                    folder / "checkpoint" / file for file in ("next.pt", "last.pt", "previous.pt")
                ),
            )
        )
    return tuple(jobs)


def check_training(experiment: Experiment) -> None:
    """Raise `UserError` before any stage runs if training lacks something.

    That may be a model to start from, or a machine with the precision that a system needs. A
    system that has a model may have been trained on another machine. Workers of a cluster that
    train look for themselves.
    """
    recipe = experiment.recipe
    for name, system in recipe.systems.items():
        start = experiment.start(name)
        if start and not recipe.before(name):
            for path in weight_files(start):
                if not path.is_file():
                    raise UserError(
                        f"systems.{name}: 'start' names {system.start}, but {path} is missing."
                    )
    cluster = workers.cluster()
    if cluster and cluster.trains:
        return
    new = [name for name in recipe.systems if not experiment.layout.model(name).exists()]
    if any(recipe.train_of(name).precision != "float32" for name in new):
        from cascade.training.systems import check_machine  # heavy

        check_machine(recipe, new)


def run_training(
    experiment: Experiment, todo: Sequence[Job], processes: int, gpus: int | None
) -> Iterator[tuple[Job, JobFiles]]:
    """Run jobs of stage 3, several trainings at once; yield each when it is done.

    ``gpus`` is the number of processes that train one system together.
    """
    by_name = {job.name: job for job in todo if job.run.module == TRAINING}
    yield from one_by_one([job for job in todo if job.name not in by_name])
    if not by_name:
        return
    from cascade.training.systems import train_systems

    workers.release()  # a training may take days
    fingerprints = {name: job.fingerprint() for name, job in by_name.items()}
    for name in train_systems(experiment, fingerprints, processes, gpus):
        yield by_name[name], JobFiles()


def decoding(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 4: searches for settings on valid, and decoding of test sets."""
    recipe, layout = experiment.recipe, experiment.layout
    jobs = []
    valid = experiment.dataset_keys("valid")
    search = (layout.graph, layout.words)
    phone_search = (layout.phone_graph, layout.phone_words)
    settings, searched = recipe.view("features", "decode"), _search_settings(recipe)
    others = ("nbest.tsv", "words.ctm") if recipe.decode.nbest else ()
    for system in recipe.systems:
        model = _model(layout, system)
        data = _search_inputs(layout, valid) if recipe.decode.tune else []
        if system not in recipe.teachers:  # stage 3 has the searches of teachers
            jobs.append(_word_search(experiment, system, processes))
        jobs.append(
            Job(
                name=f"{system}.phone_search",
                settings=searched,
                inputs=(*model, *data, *phone_search),  # the phones of valid are in `data`
                outputs=(layout.phone_search(system),),
                run=Call("cascade.decoding.tune", "tune", experiment, system, "phones", processes),
                packages=TUNED_BY,
            )
        )
        for test in recipe.tests:
            key, folder = experiment.dataset_key(test.dataset), layout.decode(system, test.label)
            first_pass = layout.decode(system, test.dataset.label) / "phones_words.txt"
            module, function = "cascade.decoding.decode", "decode_test"
            if test.adapted:
                module, function = "cascade.adaptation.two_passes", "decode_adapted"
            jobs.append(
                Job(
                    name=f"{system}.decode_{test.label}",
                    settings=settings | (_adaptation(recipe, system) if test.adapted else {}),
                    inputs=(
                        *(*model, *_data_inputs(layout, [key]), layout.lexicon),
                        *(*search, layout.search(system)),
                        *(*phone_search, layout.phone_search(system)),
                        *([layout.text(key, "speakers"), first_pass] if test.adapted else ()),
                    ),
                    outputs=(
                        *(folder / name for name in (*DECODED, *others)),
                        *([layout.adaptation(system, test.label)] if test.adapted else ()),
                    ),
                    run=Call(module, function, experiment, system, test, processes),
                    packages=DECODED_BY,
                )
            )
    for dataset in recipe.role("test"):
        name, key = dataset.label, experiment.dataset_key(dataset)
        jobs.append(
            Job(
                name=f"oracle_{name}",
                settings={},
                inputs=(layout.text(key, "phones"), layout.phones, *search),
                outputs=(layout.oracle(name),),
                run=Call(
                    "cascade.decoding.oracle", "decode_references", layout, key, name, processes
                ),
                packages=DECODED_BY,
            )
        )
    return tuple(jobs)


def _adaptation(recipe: Recipe, system: str) -> dict[str, Any]:
    """Return what the adaptation of a system to speakers depends on, beside files."""
    train, augment = recipe.train_of(system), recipe.augment_of(system, recipe.target)
    return recipe.view("adapt", "seed") | {"clip": train.clip, "augment": as_plain(augment)}


def _word_search(experiment: Experiment, system: str, processes: int) -> Job:
    """Return the job that searches for the settings of a system's search for words."""
    recipe, layout = experiment.recipe, experiment.layout
    sentences = [experiment.dataset_key(dataset) for dataset in recipe.valid_sentences]
    words = [layout.text(key, "words") for key in sentences] if recipe.decode.tune else []
    spoken = _search_inputs(layout, sentences) if recipe.decode.tune else []
    return Job(
        name=f"{system}.search",
        settings=_search_settings(recipe) | {"fold": recipe.target_language.fold},
        inputs=(*_model(layout, system), *spoken, *words, layout.graph, layout.words),
        outputs=(layout.search(system),),
        run=Call("cascade.decoding.tune", "tune", experiment, system, "words", processes),
        packages=TUNED_BY,
    )


def _transcripts(experiment: Experiment, system: str, teacher: str, processes: int) -> Job:
    """Return the job that lets the teacher of a system transcribe speech for it."""
    recipe, layout = experiment.recipe, experiment.layout
    data = recipe.transcribed_for(system)
    keys = [experiment.dataset_key(dataset) for dataset in data]
    settings = _search_settings(recipe) | {
        "teacher": teacher,
        "min_confidence": recipe.train_of(system).min_confidence,
        "datasets": [as_plain(dataset) for dataset in data],
    }
    return Job(
        name=f"{system}.transcripts",
        settings=settings,
        inputs=(
            *(*_model(layout, teacher), *_data_inputs(layout, keys), layout.lexicon),
            *(layout.graph, layout.words, layout.search(teacher)),
        ),
        outputs=(
            *(
                layout.transcript(system, key, kind)
                for key in keys
                for kind in ("words", "phones", "confidence")
            ),
            layout.transcripts_excluded(system),
        ),
        run=Call("cascade.decoding.transcripts", "transcribe", experiment, system, processes),
        packages=DECODED_BY,
    )


def _search_settings(recipe: Recipe) -> dict[str, Any]:
    """Return what a search for words or phones depends on; the length of n-best lists is not."""
    settings = recipe.view("features", "decode")
    settings["decode"] = {k: v for k, v in settings["decode"].items() if k != "nbest"}
    return settings


def _model(layout: Layout, system: str) -> list[Path]:
    """Return what decoding needs of a system."""
    return [layout.model(system), layout.system(system) / "model.json"]


def scoring(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the job of stage 5."""
    recipe, layout = experiment.recipe, experiment.layout
    inputs, outputs = [layout.lang_summary], []
    for test in recipe.tests:
        key = experiment.dataset_key(test.dataset)
        inputs += [layout.text(key, unit) for unit in ("words", "phones", "speakers")]
        inputs.append(layout.oracle(test.dataset.label))
        for system in recipe.systems:
            folder = layout.decode(system, test.label)
            inputs += [folder / name for name in DECODED]
            inputs += [folder / "words.ctm"] if recipe.decode.nbest else []
            inputs += [layout.adaptation(system, test.label)] if test.adapted else []
            outputs += [layout.score(system, test.label) / name for name in SCORED]
        outputs += [layout.phone_table(test.label), layout.phone_changes(test.label)]
    for key in experiment.dataset_keys("train", "train_ext", "train_untranscribed"):
        inputs += [layout.text(key, unit) for unit in ("phones", "speakers")]
        inputs.append(layout.num_frames(key))
    trained = ("model.safetensors", "train.jsonl", "ablation.json", TRAINED_ON)
    inputs += [layout.system(name) / file for name in recipe.systems for file in trained]
    for system in recipe.systems:
        keys = [experiment.dataset_key(d) for d in recipe.transcribed_for(system)]
        inputs += [layout.transcript(system, key, "phones") for key in keys]
    settings = recipe.view("name", "seed", "systems", "target", "datasets")
    language = recipe.target_language
    rule = ("letters", "fold", "voice", "stress_marks")
    settings |= {key: getattr(language, key) for key in rule}
    settings["confidences"] = recipe.decode.nbest > 0
    return (
        Job(
            name="scores",
            settings=settings,
            inputs=tuple(inputs),
            outputs=(*outputs, *(layout.root / page for page in PAGES)),
            run=Call("cascade.report.evaluate", "evaluate", experiment),
            packages=SCORED_BY,
        ),
    )


def _search_inputs(layout: Layout, keys: Sequence[str]) -> list[Path]:
    """Return what a search for settings reads of valid, beside the words."""
    return [*_data_inputs(layout, keys), *(layout.text(key, "speakers") for key in keys)]


def _data_inputs(layout: Layout, keys: Sequence[str]) -> list[Path]:
    """Return what batches depend on: digests of the features, wherever those are stored."""
    kinds = (layout.num_frames, layout.feature_digests)
    files = [kind(key) for key in keys for kind in kinds]
    return [*files, *(layout.text(key, "phones") for key in keys), layout.cms_init]
