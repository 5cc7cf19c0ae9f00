"""The jobs of stages 0 to 2: corpora, pronunciations and language model, features."""

from collections.abc import Sequence
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.schema import as_plain
from cascade.corpora import corpus
from cascade.runtime.stage import Call, Job

G2P = Path("local/g2p_espeak.sh")


def corpora(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the job of stage 0."""
    recipe, layout = experiment.recipe, experiment.layout
    settings = recipe.view("datasets", "target_minutes", "seed", "limits")
    keys = ("letters", "voice", "lexicon", "phone_map")  # texts belong to stage 1
    settings["languages"] = {
        name: {key: as_plain(getattr(language, key)) for key in keys}
        for name, language in recipe.languages.items()
    }
    settings["rate"], settings["stack"] = recipe.features.rate, recipe.features.stack
    names = sorted({dataset.corpus for dataset in recipe.datasets})
    kinds = (layout.cuts, layout.recordings, layout.supervisions, layout.speech)
    return (
        Job(
            name="corpora",
            settings=settings,
            modules=tuple(map(corpus.corpus_module, names)),
            inputs=(G2P, *_lexicons(recipe)),
            outputs=(
                layout.excluded,
                *(kind(k) for k in experiment.dataset_keys() for kind in kinds),
            ),
            run=Call("cascade.data.prepare", "prepare", experiment, processes),
        ),
    )


def check_sources(experiment: Experiment) -> None:
    """Raise `UserError` before any stage runs if a text or dictionary does not exist."""
    target = experiment.recipe.target_language
    for kind, names in (("text", target.texts), ("dictionary", target.dictionaries)):
        for name in names:
            corpus.check_source(kind, name)


def language(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 1.

    They are several, so that another language model does not pronounce all words again.
    """
    recipe, layout = experiment.recipe, experiment.layout
    target = recipe.target_language
    texts = [
        layout.text(key, unit) for key in experiment.dataset_keys() for unit in ("words", "phones")
    ]
    speakers = [layout.text(key, "speakers") for key in experiment.dataset_keys()]
    sentences = [layout.sentences(i) for i in range(1 + len(target.texts))]
    sources = (*target.texts, *target.dictionaries)
    modules = [
        corpus.module_name(name)
        for name in sources
        if not Path(name).is_file() and name in corpus.modules()
    ]
    held_out = [layout.text(key, "words") for key in experiment.dataset_keys("valid", "test")]
    sizes = {"words": recipe.language_model.words}
    closed = {k: v for k, v in as_plain(recipe.language_model).items() if k != "open"}
    return (
        Job(
            name="words",
            settings={**recipe.view("target", "datasets", "languages"), **sizes},
            modules=tuple(modules),
            inputs=(
                *(layout.cuts(key) for key in experiment.dataset_keys()),
                G2P,
                *_lexicons(recipe),
            ),
            outputs=(
                *(layout.phones, layout.lexicon, layout.dictionary, *sentences),
                *(layout.lang / "sharing.tsv", layout.lang / "excluded.tsv", *texts, *speakers),
                *(layout.lang / f"lexicon_{name}.txt" for name in recipe.languages),
            ),
            run=Call("cascade.text.lang", "build", experiment, processes),
        ),
        Job(
            name="language_model",
            settings={
                **recipe.view("target"),
                "language_model": closed,
                "datasets": [as_plain(d) for d in recipe.datasets if d.role in ("valid", "test")],
                "texts": list(target.texts),
            },
            inputs=(*sentences, layout.dictionary, *held_out),
            outputs=(layout.arpa, layout.lm_summary),
            run=Call("cascade.lm.language_model", "train_language_model", experiment),
        ),
        *_spelling(experiment, sentences),
        Job(
            name="phone_model",
            settings={"order": recipe.language_model.phone_order},
            inputs=(*sentences, layout.lexicon, layout.phones),
            outputs=(
                *(layout.phone_text, layout.phone_arpa),
                *(layout.phone_graph, layout.phone_words),
            ),
            run=Call("cascade.lm.phone_model", "train_phone_model", experiment),
        ),
        Job(
            name="graph",
            settings={
                "datasets": [as_plain(d) for d in recipe.datasets if d.role in ("valid", "test")],
                "open": recipe.language_model.open,
                "fold": target.fold,
            },
            inputs=(
                *(layout.lexicon, layout.phones, layout.arpa, layout.lm_summary, *held_out),
                *([layout.spelling_arpa] if recipe.language_model.open else []),
            ),
            outputs=(layout.graph, layout.words, layout.lang_summary),
            run=Call("cascade.lm.graph", "make_word_graph", experiment),
        ),
    )


def _spelling(experiment: Experiment, sentences: Sequence[Path]) -> tuple[Job, ...]:
    """Return the job that splits words into pieces, for an open vocabulary."""
    layout = experiment.layout
    if not experiment.recipe.language_model.open:
        return ()
    return (
        Job(
            name="spelling",
            settings={},
            inputs=(*sentences, layout.lexicon),
            outputs=(layout.spelling_text, layout.spelling_arpa),
            run=Call("cascade.lm.spelling", "train_spelling_model", experiment),
        ),
    )


def features(experiment: Experiment, processes: int, force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 2: one for each data set, and cms-init."""
    recipe, layout = experiment.recipe, experiment.layout
    settings = {"rate": recipe.features.rate, "filters": recipe.features.filters}
    kinds = (layout.scp, layout.num_frames, layout.feature_cuts, layout.feature_digests)
    jobs = []
    for dataset in recipe.datasets:
        key = experiment.dataset_key(dataset)
        jobs.append(
            Job(
                name=f"features_{key}",
                settings=settings,
                inputs=(layout.cuts(key), layout.speech(key)),
                outputs=tuple(kind(key) for kind in kinds),
                run=Call("cascade.features.dump", "dump", experiment, dataset, processes, force),
            )
        )
    train = experiment.dataset_keys("train")
    others = [key for key in experiment.dataset_keys() if key not in train]
    digests = [layout.feature_digests(key) for key in train]
    jobs.append(
        Job(
            name="cms_init",
            settings=settings,
            inputs=(*digests, *(layout.feature_cuts(key) for key in experiment.dataset_keys())),
            outputs=(layout.cms_init,),
            run=Call("cascade.features.dump", "cms_init", train, layout, others),
        )
    )
    return tuple(jobs)


def _lexicons(recipe: Recipe) -> list[Path]:
    """Return the user's lexicons."""
    return [Path(language.lexicon) for language in recipe.languages.values() if language.lexicon]
