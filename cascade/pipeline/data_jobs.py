"""The jobs of stages 0 to 2: corpora, pronunciations and language model, features."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.schema import as_plain
from cascade.config.sections import Dataset
from cascade.corpora import corpus
from cascade.features.mel import empty_filters
from cascade.runtime.errors import UserError
from cascade.runtime.kept import Keep
from cascade.runtime.stage import Call, Job

G2P = Path("local/g2p_espeak.sh")
NGRAMS = ("kaldingram", "numpy")  # packages that decide language models
ESPEAK = ("espeakng-loader", "phonemizer-fork")  # those that decide pronunciations


def corpora(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the job of stage 0."""
    recipe, layout = experiment.recipe, experiment.layout
    settings = recipe.view("datasets", "target_minutes", "seed", "limits")
    settings["languages"] = _pronunciation(recipe)
    synthetic = {d.language for d in recipe.datasets if corpus.synthetic(d.corpus)}
    languages = [recipe.languages[name] for name in sorted(synthetic)]
    read = [text for one in languages for text in corpus.texts_to_read(one.spoken, one.voice)]
    texts = {name: recipe.languages[name].spoken for name in sorted(synthetic)}
    if any(texts.values()):
        settings["texts"] = as_plain(texts)
    settings["rate"], settings["stack"] = recipe.features.rate, recipe.features.stack
    names = sorted({dataset.corpus for dataset in recipe.datasets})
    kinds = (layout.cuts, layout.recordings, layout.supervisions, layout.speech)
    return (
        Job(
            name="corpora",
            settings=settings,
            modules=(*map(corpus.corpus_module, names), *corpus.text_modules(read)),
            packages=ESPEAK,
            inputs=(
                *(G2P, *_lexicons(recipe)),
                *(Path(text) for some in texts.values() for text in some if Path(text).is_file()),
            ),
            outputs=(
                layout.excluded,
                *(kind(k) for k in experiment.dataset_keys() for kind in kinds),
            ),
            run=Call("cascade.data.prepare", "prepare", experiment, processes),
        ),
    )


def check_corpora(experiment: Experiment) -> None:
    """Raise `UserError` before any stage runs for a key that a data set's corpus does not take.

    Also for a text or dictionary that stages 0 and 1 would not find.
    """
    for dataset in experiment.recipe.datasets:
        corpus.check_options(dataset.corpus, dataset.options)
    check_sources(experiment)


def check_sources(experiment: Experiment) -> None:
    """Raise `UserError` before any stage runs if a text or dictionary does not exist."""
    target = experiment.recipe.target_language
    read_aloud = [t for one in experiment.recipe.languages.values() for t in one.read_aloud]
    named = ("text", target.texts), ("text", read_aloud), ("dictionary", target.dictionaries)
    for kind, names in named:
        for name in names:
            corpus.check_source(kind, name)


def language(experiment: Experiment, processes: int, force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 1.

    They are several, so that another language model does not pronounce all words again. What
    all but ``words`` make depends only on the target language, and is kept for other
    experiments; ``phones.txt`` has all languages, but only numbers the phones of a graph.
    """
    recipe, layout = experiment.recipe, experiment.layout
    target, model = recipe.target_language, recipe.language_model
    sentences = [layout.sentences(i) for i in range(1 + len(target.texts))]
    held_out = [layout.text(key, "words") for key in experiment.dataset_keys("valid", "test")]
    datasets = _unadapted(recipe.role("valid") + recipe.role("test"))
    keep = Keep(layout.lang_store, layout.lang, force)

    def keep_graph(path: Path) -> Keep:
        renumber = Call("cascade.lm.graph", "renumber", path, layout.phones)
        return replace(keep, numbering=layout.phones, renumber=renumber)

    return (
        _words(experiment),
        _vocabulary(experiment, processes, sentences, keep),
        Job(
            name="language_model",
            settings={
                **recipe.view("target"),
                "language_model": {k: v for k, v in as_plain(model).items() if k != "open"},
                "datasets": datasets,
                "texts": list(target.texts),
            },
            packages=NGRAMS,
            inputs=(*sentences, layout.dictionary, *held_out),
            outputs=(layout.arpa, layout.lm_summary),
            run=Call("cascade.lm.language_model", "train_language_model", experiment),
            keep=keep,
        ),
        *_spelling(experiment, sentences, keep),
        Job(
            name="phone_model",
            settings={"order": model.phone_order},
            packages=NGRAMS,
            inputs=(*sentences, layout.lexicon, layout.phones),
            outputs=(
                *(layout.phone_text, layout.phone_arpa),
                *(layout.phone_graph, layout.phone_words),
            ),
            run=Call("cascade.lm.phone_model", "train_phone_model", experiment),
            keep=keep_graph(layout.phone_graph),
        ),
        Job(
            name="graph",
            settings={"datasets": datasets, "open": model.open, "fold": target.fold},
            packages=("numpy",),
            inputs=(
                *(layout.lexicon, layout.phones, layout.arpa, layout.lm_summary, *held_out),
                *([layout.spelling_arpa] if model.open else []),
            ),
            outputs=(layout.graph, layout.words, layout.lang_summary),
            run=Call("cascade.lm.graph", "make_word_graph", experiment),
            keep=keep_graph(layout.graph),
        ),
    )


def _words(experiment: Experiment) -> Job:
    """Return the job that writes transcripts in words and phones, for all languages."""
    recipe, layout = experiment.recipe, experiment.layout
    keys = experiment.dataset_keys()
    units = ("words", "phones", "speakers")
    return Job(
        name="words",
        settings={
            **recipe.view("target"),
            "datasets": _unadapted(recipe.datasets),
            "languages": _pronunciation(recipe),
        },
        packages=ESPEAK,
        inputs=(*map(layout.cuts, keys), G2P, *_lexicons(recipe)),
        outputs=(
            *(layout.phones, *map(layout.phones_of, (recipe.target, *recipe.ext_languages))),
            layout.lang / "sharing.tsv",
            *(layout.text(key, unit) for key in keys for unit in units),
            *(layout.lang / f"lexicon_{name}.txt" for name in recipe.languages),
            layout.as_written,
        ),
        run=Call("cascade.text.lang", "build", experiment),
    )


def _vocabulary(
    experiment: Experiment, processes: int, sentences: Sequence[Path], keep: Keep
) -> Job:
    """Return the job that chooses the vocabulary, and the sentences of the language model."""
    recipe, layout = experiment.recipe, experiment.layout
    target = recipe.target_language
    keys = experiment.dataset_keys("train", "valid", "test")
    return Job(
        name="vocabulary",
        settings={
            "datasets": keys,
            "language": as_plain(target),
            "words": recipe.language_model.words,
            "changes": [[d.confusables, d.numbers] for d in recipe.role("train")],
        },
        modules=corpus.text_modules((*target.texts, *target.dictionaries)),
        packages=(*ESPEAK, "numpy"),
        inputs=(
            *(layout.text(key, "words") for key in keys),
            *(layout.phones_of(recipe.target), G2P, layout.as_written),
            *([Path(target.lexicon)] if target.lexicon else []),
        ),
        outputs=(layout.lexicon, layout.dictionary, *sentences, layout.lang / "excluded.tsv"),
        run=Call("cascade.text.vocabulary", "build", experiment, processes),
        keep=keep,
    )


def _spelling(experiment: Experiment, sentences: Sequence[Path], keep: Keep) -> tuple[Job, ...]:
    """Return the job that splits words into pieces, for an open vocabulary."""
    layout = experiment.layout
    if not experiment.recipe.language_model.open:
        return ()
    return (
        Job(
            name="spelling",
            settings={},
            packages=NGRAMS,
            inputs=(*sentences, layout.lexicon),
            outputs=(layout.spelling_text, layout.spelling_arpa),
            run=Call("cascade.lm.spelling", "train_spelling_model", experiment),
            keep=keep,
        ),
    )


def check_features(experiment: Experiment) -> None:
    """Raise `UserError` before any stage runs for more filters than the spectrum has room for."""
    settings = experiment.recipe.features
    if empty := empty_filters(settings.rate, settings.filters):
        raise UserError(
            f"features.filters: {settings.filters} are too many for {settings.rate} Hz. {empty} of"
            " them would always be empty. Use fewer."
        )


def features(experiment: Experiment, processes: int, force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 2: one for each data set, and cms-init."""
    recipe, layout = experiment.recipe, experiment.layout
    settings: dict[str, Any] = {
        "rate": recipe.features.rate,
        "filters": recipe.features.filters,
    }
    kinds = (layout.scp, layout.num_frames, layout.feature_cuts, layout.feature_digests)
    jobs = []
    for dataset in recipe.datasets:
        key = experiment.dataset_key(dataset)
        jobs.append(
            Job(
                name=f"features_{key}",
                settings=settings
                if recipe.stores_features(dataset)
                else settings | {"kept": "sums"},
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


def _unadapted(datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """Return data sets for the settings of stage 1, which does not depend on ``adapt``."""
    return [as_plain(replace(dataset, adapt=None)) for dataset in datasets]


def _pronunciation(recipe: Recipe) -> dict[str, Any]:
    """Return what decides the words and phones of each language; its texts do not."""
    keys = ("letters", "voice", "lexicon", "phone_map", "stress_marks", "hints")
    return {
        name: {key: as_plain(getattr(language, key)) for key in keys}
        for name, language in recipe.languages.items()
    }


def _lexicons(recipe: Recipe) -> list[Path]:
    """Return the user's lexicons."""
    return [Path(language.lexicon) for language in recipe.languages.values() if language.lexicon]
