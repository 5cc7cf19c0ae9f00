"""The jobs of stage 7: a bundle of each system."""

from cascade.bundle.manifest import MOST, NAME
from cascade.config.experiment import Experiment
from cascade.config.schema import as_plain
from cascade.corpora import corpus
from cascade.runtime.stage import Call, Job

PACKAGES = ("torch", "onnx", "onnxruntime")  # those that decide the bytes of the models


def bundles(experiment: Experiment, processes: int, _force: bool) -> tuple[Job, ...]:
    """Return the jobs of stage 7: one for each system."""
    recipe, layout = experiment.recipe, experiment.layout
    keys = experiment.dataset_keys("train", "train_ext", "train_untranscribed", "valid")
    settings = recipe.view("name", "target", "features", "limits", "decode", "datasets")
    language = recipe.target_language
    texts = [*language.texts, *language.dictionaries]
    licensed = [corpus.corpus_module(dataset.corpus) for dataset in recipe.datasets]
    licensed += corpus.text_modules(texts)
    settings["language"] = as_plain(language)
    spoken = [layout.text(key, "speakers") for key in keys]
    frames = [layout.num_frames(key) for key in keys]
    valid = [
        path
        for key in experiment.dataset_keys("valid")
        for path in (layout.feature_digests(key), layout.text(key, "phones"))
    ]
    aligned = [
        path
        for dataset in recipe.datasets
        if dataset.language == recipe.target and dataset.role in ("train", "train_ext")
        for key in [experiment.dataset_key(dataset)]
        for path in (
            *(layout.feature_digests(key), layout.scp(key)),
            *(layout.text(key, "words"), layout.text(key, "phones")),
        )
    ]
    return tuple(
        Job(
            name=f"{system}.bundle",
            settings=settings,
            inputs=(
                *(layout.model(system), layout.system(system) / "model.json"),
                *(layout.search(system), layout.phone_search(system), layout.cms_init),
                *(layout.graph, layout.words, layout.lexicon),
                *(layout.phone_graph, layout.phone_words),
                layout.lang / f"lexicon_{recipe.target}.txt",
                *(
                    layout.lang_summary,
                    layout.root / "results.json",
                    *spoken,
                    *frames,
                    *valid,
                    *aligned,
                ),
            ),
            outputs=(
                *(layout.bundle(system) / name for name in (NAME, *MOST)),
                layout.bundle_zip(system),
            ),
            run=Call("cascade.export.pack", "pack", experiment, system),
            modules=tuple(dict.fromkeys(licensed)),
            packages=PACKAGES,
        )
        for system in recipe.systems
    )
