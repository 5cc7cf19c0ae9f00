"""The jobs of stages 0 to 2: corpora, pronunciations and language model, features."""

from collections.abc import Sequence
from pathlib import Path

from cascade.config.layout import Layout, dataset_key
from cascade.config.recipe import Recipe
from cascade.config.schema import as_plain
from cascade.corpora import corpus
from cascade.pipeline.job_parts import keys_of, later, view
from cascade.runtime.stage import Job

G2P = Path("local/g2p_espeak.sh")


def corpora(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    settings = view(recipe, "datasets", "target_minutes", "seed", "limits")
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
            modules=("cascade.data.prepare", *map(corpus.corpus_module, corpora)),
            inputs=(G2P, *_lexicons(recipe)),
            outputs=(layout.excluded, *(kind(k) for k in keys_of(recipe) for kind in kinds)),
            run=later("cascade.data.prepare", "prepare", recipe, layout, jobs),
        ),
    )


def check_sources(recipe: Recipe) -> None:
    """Raises `UserError`, before anything has run, for a text or dictionary that is not there."""
    target = recipe.languages[recipe.target]
    for kind, names in (("text", target.texts), ("dictionary", target.dictionaries)):
        for name in names:
            corpus.check_source(kind, name)


def language(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    """Four jobs, so that another language model asks for no pronunciation anew."""
    target = recipe.languages[recipe.target]
    texts = [layout.text(key, unit) for key in keys_of(recipe) for unit in ("words", "phones")]
    speakers = [layout.text(key, "speakers") for key in keys_of(recipe)]
    sentences = [layout.sentences(i) for i in range(1 + len(target.texts))]
    named = (*target.texts, *target.dictionaries)
    modules = [
        corpus.module_name(name)
        for name in named
        if not Path(name).is_file() and name in corpus.modules()
    ]
    held_out = [layout.text(key, "words") for key in keys_of(recipe, "valid", "test")]
    sizes = {"words": recipe.language_model.words}
    closed = {k: v for k, v in as_plain(recipe.language_model).items() if k != "open"}
    return (
        Job(
            name="words",
            settings={**view(recipe, "target", "datasets", "languages"), **sizes},
            modules=("cascade.text.lang", *modules),
            inputs=(*(layout.cuts(key) for key in keys_of(recipe)), G2P, *_lexicons(recipe)),
            outputs=(
                *(layout.phones, layout.lexicon, layout.dictionary, *sentences),
                *(layout.lang / "sharing.tsv", layout.lang / "excluded.tsv", *texts, *speakers),
                *(layout.lang / f"lexicon_{name}.txt" for name in recipe.languages),
            ),
            run=later("cascade.text.lang", "build", recipe, layout, jobs),
        ),
        Job(
            name="language_model",
            settings={
                **view(recipe, "target"),
                "language_model": closed,
                "datasets": [as_plain(d) for d in recipe.datasets if d.role in ("valid", "test")],
                "texts": list(target.texts),
            },
            modules=("cascade.lm.language_model",),
            inputs=(*sentences, layout.dictionary, *held_out),
            outputs=(layout.arpa, layout.lm_summary),
            run=later("cascade.lm.language_model", "train", recipe, layout),
        ),
        *_spelling(recipe, layout, sentences),
        Job(
            name="phone_model",
            settings={"order": recipe.language_model.phone_order},
            modules=("cascade.lm.phone_model",),
            inputs=(*sentences, layout.lexicon, layout.phones),
            outputs=(
                *(layout.phone_text, layout.phone_arpa),
                *(layout.phone_graph, layout.phone_words),
            ),
            run=later("cascade.lm.phone_model", "make", recipe, layout),
        ),
        Job(
            name="graph",
            settings={
                "datasets": [as_plain(d) for d in recipe.datasets if d.role in ("valid", "test")],
                "open": recipe.language_model.open,
                "fold": target.fold,
            },
            modules=("cascade.lm.graph",),
            inputs=(
                *(layout.lexicon, layout.phones, layout.arpa, layout.lm_summary, *held_out),
                *([layout.spelling_arpa] if recipe.language_model.open else []),
            ),
            outputs=(layout.graph, layout.words, layout.lang_summary),
            run=later("cascade.lm.graph", "make", recipe, layout),
        ),
    )


def _spelling(recipe: Recipe, layout: Layout, sentences: Sequence[Path]) -> tuple[Job, ...]:
    """Pieces of words, for an open vocabulary."""
    if not recipe.language_model.open:
        return ()
    return (
        Job(
            name="spelling",
            settings={},
            modules=("cascade.lm.spelling",),
            inputs=(*sentences, layout.lexicon),
            outputs=(layout.spelling_text, layout.spelling_arpa),
            run=later("cascade.lm.spelling", "train", recipe, layout),
        ),
    )


def features(recipe: Recipe, layout: Layout, jobs: int, force: bool) -> tuple[Job, ...]:
    settings = {"rate": recipe.features.rate, "filters": recipe.features.filters}
    kinds = (layout.scp, layout.num_frames, layout.feature_cuts, layout.feature_digests)
    made = []
    for dataset in recipe.datasets:
        key = dataset_key(recipe, dataset)
        made.append(
            Job(
                name=f"features_{key}",
                settings=settings,
                modules=("cascade.features.dump",),
                inputs=(layout.cuts(key), layout.speech(key)),
                outputs=tuple(kind(key) for kind in kinds),
                run=later("cascade.features.dump", "dump", recipe, dataset, layout, jobs, force),
            )
        )
    train = keys_of(recipe, "train")
    others = [key for key in keys_of(recipe) if key not in train]
    summed = [layout.feature_digests(key) for key in train]
    made.append(
        Job(
            name="cms_init",
            settings=settings,
            modules=("cascade.features.dump",),
            inputs=(*summed, *(layout.feature_cuts(key) for key in keys_of(recipe))),
            outputs=(layout.cms_init,),
            run=later("cascade.features.dump", "cms_init", train, layout, others),
        )
    )
    return tuple(made)


def _lexicons(recipe: Recipe) -> list[Path]:
    return [Path(language.lexicon) for language in recipe.languages.values() if language.lexicon]
