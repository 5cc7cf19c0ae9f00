"""The table of stages: what each job reads of the recipe, takes in, runs, and leaves.

Nothing heavy is imported here: a run with nothing to do must end in a moment. The
modules that do the work are imported by the job that runs.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cascade.layout import Layout, dataset_key, dataset_name
from cascade.recipe import Recipe
from cascade.schema import as_plain
from cascade.stage import Found, Job, Runner, Stage

TITLES = (
    "corpora and cuts",
    "pronunciations, language model, graph",
    "features",
    "training",
    "decoding",
    "scoring",
)
LAST = len(TITLES) - 1
MODEL = ("model.safetensors", "model.json", "phones.txt", "train.jsonl", "ablation.json")
DECODED = ("phones.txt", "phones_ngram.txt", "words.txt", "decode.json")
G2P = Path("local/g2p_espeak.sh")


def stage(number: int, recipe: Recipe, layout: Layout, jobs: int, force: bool = False) -> Stage:
    """Stage ``number`` of an experiment; ``jobs`` processes at most work in it.

    ``force`` is for what is not the experiment's own: shared features are made anew.
    """
    if number == 2:
        return Stage(2, TITLES[2], _features(recipe, layout, jobs, force))
    made = _MAKERS[number](recipe, layout, jobs)
    if number == 3:
        return Stage(3, TITLES[3], made, lambda todo: _train(recipe, layout, todo, jobs))
    return Stage(number, TITLES[number], made)


def run(
    recipe: Recipe,
    layout: Layout,
    numbers: Sequence[int],
    jobs: int,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Runs stages in order; what is up to date is left as it is."""
    makers = {
        path: (number, job)
        for number in range(LAST + 1)
        for job in stage(number, recipe, layout, jobs).jobs
        for path in job.outputs
    }
    runner = Runner(layout.root, makers, force, dry_run)
    for number in range(numbers[0]):
        runner.warn(stage(number, recipe, layout, jobs))
    for number in numbers:
        runner.run(stage(number, recipe, layout, jobs, force))


def due(recipe: Recipe, layout: Layout, numbers: Sequence[int]) -> str | None:
    """The first job of stages that is not up to date, and why; None where all are."""
    runner = Runner(layout.root, {}, force=False, dry_run=False)
    for number in numbers:
        reason = runner.due(stage(number, recipe, layout, 1))
        if reason:
            return reason
    return None


def _view(recipe: Recipe, *keys: str) -> dict[str, Any]:
    """The parts of the recipe under ``keys``, as JSON types."""
    return {key: as_plain(getattr(recipe, key)) for key in keys}


def _keys(recipe: Recipe, *roles: str) -> list[str]:
    """The keys of all data sets, or of those with one of ``roles``."""
    return [dataset_key(recipe, d) for d in recipe.datasets if not roles or d.role in roles]


def _later(module: str, function: str, *arguments: Any) -> Callable[[], Found | None]:
    """A call of a function whose module is imported when the job runs."""

    def run() -> Found | None:
        import importlib

        return getattr(importlib.import_module(module), function)(*arguments)

    return run


def _lexicons(recipe: Recipe) -> list[Path]:
    return [Path(language.lexicon) for language in recipe.languages.values() if language.lexicon]


def _corpora(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    settings = _view(recipe, "datasets", "target_minutes", "seed", "limits")
    pronounced = ("letters", "voice", "lexicon", "phone_map")  # texts come in stage 1
    settings["languages"] = {
        name: {key: as_plain(getattr(language, key)) for key in pronounced}
        for name, language in recipe.languages.items()
    }
    settings["rate"], settings["stack"] = recipe.features.rate, recipe.features.stack
    corpora = sorted({dataset.corpus for dataset in recipe.datasets})
    kinds = (layout.cuts, layout.recordings, layout.supervisions, layout.speech)
    return (
        Job(
            name="corpora",
            settings=settings,
            modules=("cascade.prepare", *(f"local.{name}" for name in corpora)),
            inputs=(G2P, *_lexicons(recipe)),
            outputs=(layout.excluded, *(kind(k) for k in _keys(recipe) for kind in kinds)),
            run=_later("cascade.prepare", "prepare", recipe, layout, jobs),
        ),
    )


def _language(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    """Four jobs, so that another language model asks for no pronunciation anew."""
    target = recipe.languages[recipe.target]
    texts = [layout.text(key, unit) for key in _keys(recipe) for unit in ("words", "phones")]
    speakers = [layout.text(key, "speakers") for key in _keys(recipe)]
    sentences = [layout.sentences(i) for i in range(1 + len(target.texts))]
    named = (*target.texts, *target.dictionaries)
    modules = [f"local.{name}" for name in named if name.startswith(("texts_", "dictionary_"))]
    held_out = [layout.text(key, "words") for key in _keys(recipe, "valid", "test")]
    sizes = {"words": recipe.language_model.words}
    return (
        Job(
            name="words",
            settings={**_view(recipe, "target", "datasets", "languages"), **sizes},
            modules=("cascade.lang", *modules),
            inputs=(*(layout.cuts(key) for key in _keys(recipe)), G2P, *_lexicons(recipe)),
            outputs=(
                *(layout.phones, layout.lexicon, layout.dictionary, *sentences),
                *(layout.lang / "sharing.tsv", layout.lang / "excluded.tsv", *texts, *speakers),
            ),
            run=_later("cascade.lang", "build", recipe, layout, jobs),
        ),
        Job(
            name="language_model",
            settings={
                **_view(recipe, "target", "language_model"),
                "datasets": [as_plain(d) for d in recipe.datasets if d.role in ("valid", "test")],
                "texts": list(target.texts),
            },
            modules=("cascade.language_model",),
            inputs=(*sentences, layout.dictionary, *held_out),
            outputs=(layout.arpa, layout.lm_summary),
            run=_later("cascade.language_model", "train", recipe, layout),
        ),
        Job(
            name="phone_model",
            settings={"order": recipe.language_model.phone_order},
            modules=("cascade.phone_model",),
            inputs=(*sentences, layout.lexicon, layout.phones),
            outputs=(
                *(layout.phone_text, layout.phone_arpa),
                *(layout.phone_graph, layout.phone_words),
            ),
            run=_later("cascade.phone_model", "make", recipe, layout),
        ),
        Job(
            name="graph",
            settings={"datasets": [as_plain(d) for d in recipe.datasets if d.role == "test"]},
            modules=("cascade.graph",),
            inputs=(layout.lexicon, layout.phones, layout.arpa, layout.lm_summary, *held_out),
            outputs=(layout.graph, layout.words, layout.lang_summary),
            run=_later("cascade.graph", "make", recipe, layout),
        ),
    )


def _features(recipe: Recipe, layout: Layout, jobs: int, force: bool) -> tuple[Job, ...]:
    settings = {"rate": recipe.features.rate, "filters": recipe.features.filters}
    kinds = (layout.scp, layout.num_frames, layout.feature_cuts, layout.feature_digests)
    made = []
    for dataset in recipe.datasets:
        key = dataset_key(recipe, dataset)
        made.append(
            Job(
                name=f"features_{key}",
                settings=settings,
                modules=("cascade.features",),
                inputs=(layout.cuts(key), layout.speech(key)),
                outputs=tuple(kind(key) for kind in kinds),
                run=_later("cascade.features", "dump", recipe, dataset, layout, jobs, force),
            )
        )
    train = _keys(recipe, "train")
    others = [key for key in _keys(recipe) if key not in train]
    summed = [layout.feature_digests(key) for key in train]
    made.append(
        Job(
            name="cms_init",
            settings=settings,
            modules=("cascade.features",),
            inputs=(*summed, *(layout.feature_cuts(key) for key in _keys(recipe))),
            outputs=(layout.cms_init,),
            run=_later("cascade.features", "cms_init", train, layout, others),
        )
    )
    return tuple(made)


def _data_inputs(layout: Layout, keys: Sequence[str]) -> list[Path]:
    """What makes the batches of some data sets: what their features are, not where."""
    kinds = (layout.num_frames, layout.feature_digests)
    files = [kind(key) for key in keys for kind in kinds]
    return [*files, *(layout.text(key, "phones") for key in keys), layout.cms_init]


def _systems(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    made = []
    for name, system in recipe.systems.items():
        languages = recipe.languages_of(name)
        roles = ("train", "valid", "train_ext") if system.cascade else ("train", "valid")
        data = [d for d in recipe.datasets if d.role in roles and d.language in languages]
        keys = [dataset_key(recipe, dataset) for dataset in data]
        # Which phones the target has is read off all its transcripts.
        texts = [layout.text(key, "phones") for key in _keys(recipe)]
        settings = _view(recipe, "target", "seed", "features")
        settings["system"] = as_plain(system)
        settings["train"] = as_plain(recipe.train_of(name))
        settings["train"].pop("checkpoint_every")  # changes no result
        settings["datasets"] = [as_plain(dataset) for dataset in data]
        folder, start = layout.system(name), layout.start(recipe, name)
        begun = [start / file for file in ("model.safetensors", "phones.txt")] if start else []
        written = [*MODEL, "start.tsv"] if start else MODEL
        made.append(
            Job(
                name=name,
                settings=settings,
                modules=("cascade.train",),
                inputs=(*_data_inputs(layout, keys), *texts, layout.phones, *begun),
                outputs=tuple(folder / file for file in written),
                run=lambda: None,  # `_train` runs the systems side by side
                unfinished=tuple(
                    folder / "checkpoint" / file for file in ("next.pt", "last.pt", "previous.pt")
                ),
            )
        )
    return tuple(made)


def _train(
    recipe: Recipe, layout: Layout, todo: Sequence[Job], jobs: int
) -> Iterator[tuple[Job, Found]]:
    from cascade.train import train_systems

    by_name = {job.name: job for job in todo}
    fingerprints = {job.name: job.fingerprint() for job in todo}
    for name in train_systems(recipe, layout, fingerprints, jobs):
        yield by_name[name], Found()


def _decoding(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    made = []
    valid = _keys(recipe, "valid")
    search = (layout.graph, layout.words)
    phone_search = (layout.phone_graph, layout.phone_words)
    settings = _view(recipe, "features", "decode")
    searched = {**settings, "decode": dict(settings["decode"])}
    del searched["decode"]["nbest"]
    fold = {"fold": recipe.languages[recipe.target].fold}
    others = ("nbest.tsv", "words.ctm") if recipe.decode.nbest else ()
    for system in recipe.systems:
        model = [layout.model(system), layout.system(system) / "model.json"]
        words = [layout.text(key, "words") for key in valid] if recipe.decode.tune else []
        data = _data_inputs(layout, valid) if recipe.decode.tune else []
        made.append(
            Job(
                name=f"{system}_search",
                settings=searched | fold,
                modules=("cascade.tune",),
                inputs=(*model, *data, *words, *search),
                outputs=(layout.search(system),),
                run=_later("cascade.tune", "tune", recipe, layout, system, "words", jobs),
            )
        )
        made.append(
            Job(
                name=f"{system}_phone_search",
                settings=searched,
                modules=("cascade.tune",),
                inputs=(*model, *data, *phone_search),  # the phones of valid are in `data`
                outputs=(layout.phone_search(system),),
                run=_later("cascade.tune", "tune", recipe, layout, system, "phones", jobs),
            )
        )
        for dataset in recipe.role("test"):
            test, key = dataset_name(dataset), dataset_key(recipe, dataset)
            folder = layout.decode(system, test)
            made.append(
                Job(
                    name=f"{system}_{test}",
                    settings=settings,
                    modules=("cascade.decode",),
                    inputs=(
                        *(*model, *_data_inputs(layout, [key]), layout.lexicon),
                        *(*search, layout.search(system)),
                        *(*phone_search, layout.phone_search(system)),
                    ),
                    outputs=tuple(folder / name for name in (*DECODED, *others)),
                    run=_later("cascade.decode", "decode", recipe, layout, system, dataset, jobs),
                )
            )
    for dataset in recipe.role("test"):
        test, key = dataset_name(dataset), dataset_key(recipe, dataset)
        made.append(
            Job(
                name=f"oracle_{test}",
                settings={},
                modules=("cascade.oracle",),
                inputs=(layout.text(key, "phones"), layout.phones, *search),
                outputs=(layout.oracle(test),),
                run=_later("cascade.oracle", "decode", layout, key, test, jobs),
            )
        )
    return tuple(made)


def _scoring(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    inputs, outputs = [layout.lang_summary], []
    for dataset in recipe.role("test"):
        test, key = dataset_name(dataset), dataset_key(recipe, dataset)
        inputs += [layout.text(key, unit) for unit in ("words", "phones", "speakers")]
        inputs.append(layout.oracle(test))
        for system in recipe.systems:
            folder = layout.decode(system, test)
            inputs += [folder / name for name in DECODED]
            inputs += [folder / "words.ctm"] if recipe.decode.nbest else []
            outputs += [
                layout.score(system, test) / name for name in ("speechbox.log", "counts.tsv")
            ]
        outputs += [layout.phone_table(test), layout.phone_changes(test)]
    inputs += [layout.text(key, "phones") for key in _keys(recipe, "train", "train_ext")]
    trained = ("model.safetensors", "train.jsonl", "ablation.json")
    inputs += [layout.system(name) / file for name in recipe.systems for file in trained]
    settings = _view(recipe, "name", "seed", "systems", "target", "datasets")
    language = recipe.languages[recipe.target]
    settings |= {"letters": language.letters, "fold": language.fold}
    settings["confidences"] = recipe.decode.nbest > 0
    root = layout.root
    return (
        Job(
            name="scores",
            settings=settings,
            modules=("cascade.evaluate",),
            inputs=tuple(inputs),
            outputs=(*outputs, *(root / n for n in ("results.json", "RESULTS.md", "curves.svg"))),
            run=_later("cascade.evaluate", "evaluate", recipe, layout),
        ),
    )


_MAKERS = (_corpora, _language, _features, _systems, _decoding, _scoring)
