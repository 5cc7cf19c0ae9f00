"""The jobs of stages 3 to 5: training, decoding, scoring."""

from collections.abc import Iterator, Sequence

from cascade.config.layout import Layout, dataset_key, dataset_name
from cascade.config.recipe import Recipe
from cascade.config.schema import as_plain
from cascade.pipeline.job_parts import data_inputs, keys_of, later, view
from cascade.runtime.errors import UserError
from cascade.runtime.stage import Found, Job

MODEL = ("model.safetensors", "model.json", "phones.txt", "train.jsonl", "ablation.json")
SCORED = (
    *("speechbox.log", "counts.tsv", "wer", "per", "confusions_words", "confusions_phones"),
    *(f"{name}{unit}" for name in ("per_utt", "per_spk", "ops") for unit in ("", "_phones")),
    *(f"{side}{unit}.trn" for side in ("ref", "hyp") for unit in ("", "_phones")),
)
DECODED = ("phones.txt", "phones_ngram.txt", "words.txt", "decode.json")


def systems(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    made = []
    for name, system in recipe.systems.items():
        languages = recipe.languages_of(name)
        roles = ("train", "valid", "train_ext") if system.cascade else ("train", "valid")
        data = [d for d in recipe.datasets if d.role in roles and d.language in languages]
        keys = [dataset_key(recipe, dataset) for dataset in data]
        # Which phones the target has is read off all its transcripts.
        texts = [layout.text(key, "phones") for key in keys_of(recipe)]
        settings = view(recipe, "target", "seed", "features")
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
                modules=("cascade.training.systems",),
                inputs=(*data_inputs(layout, keys), *texts, layout.phones, *begun),
                outputs=tuple(folder / file for file in written),
                run=lambda: None,  # `_train` runs the systems side by side
                unfinished=tuple(
                    folder / "checkpoint" / file for file in ("next.pt", "last.pt", "previous.pt")
                ),
            )
        )
    return tuple(made)


def check_starts(recipe: Recipe, layout: Layout) -> None:
    """Raises `UserError`, before anything has run, where a model to start from is not there."""
    for name, system in recipe.systems.items():
        start = layout.start(recipe, name)
        if start and not recipe.before(name) and not (start / "model.safetensors").is_file():
            raise UserError(
                f"systems.{name}: it starts from {system.start}, which has no model.safetensors."
            )


def check_machine(recipe: Recipe, layout: Layout) -> None:
    """Raises `UserError`, before anything has run, where systems cannot be trained here.

    Those that there are may have been trained elsewhere.
    """
    new = [name for name in recipe.systems if not layout.model(name).exists()]
    if any(recipe.train_of(name).precision != "float32" for name in new):
        from cascade.training.systems import check_machine as check  # heavy

        check(recipe, new)


def train(
    recipe: Recipe, layout: Layout, todo: Sequence[Job], jobs: int
) -> Iterator[tuple[Job, Found]]:
    from cascade.training.systems import train_systems

    by_name = {job.name: job for job in todo}
    fingerprints = {job.name: job.fingerprint() for job in todo}
    for name in train_systems(recipe, layout, fingerprints, jobs):
        yield by_name[name], Found()


def decoding(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    made = []
    valid = keys_of(recipe, "valid")
    sentences = [dataset_key(recipe, dataset) for dataset in recipe.valid_sentences]
    search = (layout.graph, layout.words)
    phone_search = (layout.phone_graph, layout.phone_words)
    settings = view(recipe, "features", "decode")
    searched = {**settings, "decode": dict(settings["decode"])}
    del searched["decode"]["nbest"]
    fold = {"fold": recipe.languages[recipe.target].fold}
    others = ("nbest.tsv", "words.ctm") if recipe.decode.nbest else ()
    for system in recipe.systems:
        model = [layout.model(system), layout.system(system) / "model.json"]
        words = [layout.text(key, "words") for key in sentences] if recipe.decode.tune else []
        spoken = data_inputs(layout, sentences) if recipe.decode.tune else []
        data = data_inputs(layout, valid) if recipe.decode.tune else []
        made.append(
            Job(
                name=f"{system}.search",
                settings=searched | fold,
                modules=("cascade.decoding.tune",),
                inputs=(*model, *spoken, *words, *search),
                outputs=(layout.search(system),),
                run=later("cascade.decoding.tune", "tune", recipe, layout, system, "words", jobs),
            )
        )
        made.append(
            Job(
                name=f"{system}.phone_search",
                settings=searched,
                modules=("cascade.decoding.tune",),
                inputs=(*model, *data, *phone_search),  # the phones of valid are in `data`
                outputs=(layout.phone_search(system),),
                run=later("cascade.decoding.tune", "tune", recipe, layout, system, "phones", jobs),
            )
        )
        for dataset in recipe.role("test"):
            test, key = dataset_name(dataset), dataset_key(recipe, dataset)
            folder = layout.decode(system, test)
            made.append(
                Job(
                    name=f"{system}.decode_{test}",
                    settings=settings,
                    modules=("cascade.decoding.decode",),
                    inputs=(
                        *(*model, *data_inputs(layout, [key]), layout.lexicon),
                        *(*search, layout.search(system)),
                        *(*phone_search, layout.phone_search(system)),
                    ),
                    outputs=tuple(folder / name for name in (*DECODED, *others)),
                    run=later(
                        "cascade.decoding.decode", "decode", recipe, layout, system, dataset, jobs
                    ),
                )
            )
    for dataset in recipe.role("test"):
        test, key = dataset_name(dataset), dataset_key(recipe, dataset)
        made.append(
            Job(
                name=f"oracle_{test}",
                settings={},
                modules=("cascade.decoding.oracle",),
                inputs=(layout.text(key, "phones"), layout.phones, *search),
                outputs=(layout.oracle(test),),
                run=later("cascade.decoding.oracle", "decode", layout, key, test, jobs),
            )
        )
    return tuple(made)


def scoring(recipe: Recipe, layout: Layout, jobs: int) -> tuple[Job, ...]:
    inputs, outputs = [layout.lang_summary], []
    for dataset in recipe.role("test"):
        test, key = dataset_name(dataset), dataset_key(recipe, dataset)
        inputs += [layout.text(key, unit) for unit in ("words", "phones", "speakers")]
        inputs.append(layout.oracle(test))
        for system in recipe.systems:
            folder = layout.decode(system, test)
            inputs += [folder / name for name in DECODED]
            inputs += [folder / "words.ctm"] if recipe.decode.nbest else []
            outputs += [layout.score(system, test) / name for name in SCORED]
        outputs += [layout.phone_table(test), layout.phone_changes(test)]
    inputs += [layout.text(key, "phones") for key in keys_of(recipe, "train", "train_ext")]
    trained = ("model.safetensors", "train.jsonl", "ablation.json")
    inputs += [layout.system(name) / file for name in recipe.systems for file in trained]
    settings = view(recipe, "name", "seed", "systems", "target", "datasets")
    language = recipe.languages[recipe.target]
    settings |= {"letters": language.letters, "fold": language.fold}
    settings["confidences"] = recipe.decode.nbest > 0
    root = layout.root
    return (
        Job(
            name="scores",
            settings=settings,
            modules=("cascade.report.evaluate",),
            inputs=tuple(inputs),
            outputs=(*outputs, *(root / n for n in ("results.json", "RESULTS.md", "curves.svg"))),
            run=later("cascade.report.evaluate", "evaluate", recipe, layout),
        ),
    )
