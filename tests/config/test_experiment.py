from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout


def keys(recipe):
    experiment = Experiment(recipe, Layout(Path("exp"), Path("dl"), Path("data")))
    keys = [experiment.dataset_key(dataset) for dataset in recipe.datasets]
    assert experiment.dataset_keys() == keys
    return keys


def test_one_of_a_role_and_language_needs_no_corpus(raw, read):
    assert keys(read(raw)) == ["train_ru", "train_ext_en", "valid_ru", "test_ru"]


def test_several_of_a_role_and_language_are_told_apart_by_name(raw, read):
    raw["languages"]["fr"] = {"letters": "abc", "voice": "fr-fr"}
    raw["datasets"] += [
        {"role": "train_ext", "language": "en", "corpus": "table", "name": "mine"},
        {"role": "train_ext", "language": "fr", "corpus": "table"},
        {"role": "test", "language": "ru", "corpus": "asterisk_ru"},
    ]
    assert keys(read(raw)) == [
        "train_ru",
        "train_ext_en_table",
        "valid_ru",
        "test_ru_table",
        "train_ext_en_mine",
        "train_ext_fr",  # the only French one
        "test_ru_asterisk_ru",
    ]


def test_a_name_alone_does_not_lengthen_a_key(raw, read):
    raw["datasets"][0]["name"] = "mine"
    recipe = read(raw)
    assert recipe.datasets[0].label == "mine"
    assert recipe.datasets[1].label == "table"
    assert keys(recipe)[0] == "train_ru"


def test_no_two_files_of_an_experiment_are_one(raw, read):
    layout = Layout(Path("exp/small"), Path("downloads"), Path("data"))
    recipe = read(raw)
    files = [layout.excluded, layout.phones, layout.graph, layout.words, layout.cms_init]
    for key in keys(recipe):
        files += [layout.cuts(key), layout.recordings(key), layout.supervisions(key)]
        files += [layout.speech(key), layout.scp(key), layout.num_frames(key)]
        files += [layout.feature_digests(key)]
        files += [layout.feature_cuts(key), layout.text(key, "words"), layout.text(key, "phones")]
    for system in recipe.systems:
        files += [layout.model(system), layout.decode(system, "x"), layout.score(system, "x")]
    assert len(set(files)) == len(files)
    assert all(file.is_relative_to(layout.root) for file in files)
    assert layout.feature_store.is_relative_to(layout.data)  # all experiments' own
