import dataclasses
import json
import os
import re
import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import SMALL

from cascade.config.recipe import Recipe, read_recipe
from cascade.config.schema import as_plain
from cascade.config.sections import Decode, Features, LanguageModel, Limits
from cascade.config.systems import Augment, Train
from cascade.runtime.errors import UserError


def test_defaults(raw, read):
    recipe = read(raw)
    assert (recipe.seed, recipe.target_minutes) == (0, "all")
    assert recipe.limits == Limits()
    assert recipe.features == Features()
    assert recipe.language_model == LanguageModel()
    assert recipe.train == Train()
    assert recipe.decode == Decode()
    assert recipe.encoder == recipe.encoder_of("plain") == "lstm"
    assert recipe.systems["plain"].neurons == 100
    assert recipe.systems["both"].neurons == 50
    assert recipe.languages["ru"].lexicon is None
    assert recipe.datasets[0].name == ""


def test_only_features_of_training_speech_may_be_left_out_of_the_store(raw, read):
    recipe = read(raw, {"store_features": "false"})
    stored = {dataset.role: recipe.stores_features(dataset) for dataset in recipe.datasets}
    assert stored == {"train": False, "train_ext": False, "valid": True, "test": True}
    assert all(map(read(raw).stores_features, recipe.datasets))


def test_a_system_s_encoder_is_that_of_the_recipe_or_its_own(raw, read):
    raw["systems"]["both"]["encoder"] = "lstm"
    recipe = read(raw, {"encoder": "conformer"})
    assert (recipe.encoder_of("plain"), recipe.encoder_of("both")) == ("conformer", "lstm")


def test_yaml_and_json_give_equal_recipes(raw, read):
    raw |= {"target_minutes": 15, "train": {"learning_rate": 0.5, "weights": {"ru": 2}}}
    from_yaml, from_json = read(yaml.safe_dump(raw)), read(raw)
    assert from_yaml == from_json
    assert as_plain(from_yaml) == as_plain(from_json)


def test_as_plain_is_json_that_reads_back_to_the_same_recipe(raw, read):
    recipe = read(raw)
    plain = as_plain(recipe)
    assert json.loads(json.dumps(plain)) == plain
    assert read(plain) == recipe


def test_everything_is_frozen(raw, read):
    recipe = read(raw)
    parts = [recipe, recipe.datasets[0], recipe.limits, recipe.features, recipe.train]
    parts += [recipe.train.augment, recipe.language_model, recipe.decode]
    parts += [*recipe.languages.values(), *recipe.systems.values()]
    for part in parts:
        name = dataclasses.fields(part)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, name, None)


def test_name_defaults_to_the_folder(raw, tmp_path, monkeypatch):
    del raw["name"]
    folder = tmp_path / "ru_fr"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(yaml.safe_dump(raw))
    assert read_recipe(folder / "recipe.yaml").name == "ru_fr"
    monkeypatch.chdir(folder)
    assert read_recipe(Path("recipe.yaml")).name == "ru_fr"


def test_properties(raw, read):
    raw["datasets"].append({"role": "train_ext", "language": "en", "corpus": "table", "name": "b"})
    recipe = read(raw)
    assert [d.role for d in recipe.role("train_ext")] == ["train_ext", "train_ext"]
    assert recipe.role("nothing") == []
    assert recipe.ext_languages == ["en"]
    assert recipe.limits.excluded_share == 0.05
    assert read(raw, {"limits.max_excluded": "0.25"}).limits.excluded_share == 0.25
    assert recipe.train.checkpoint_seconds == 60
    assert read(raw, {"train.checkpoint_every": "2.5"}).train.checkpoint_seconds == 2.5


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("seed", "7", 7),
        ("target_minutes", "15", "15"),
        ("target_minutes", "2.5", "2.5"),
        ("target_minutes", "all", "all"),
        ("train.steps", "10", 10),
        ("train.epochs", "2", 2),
        ("train.epochs", "null", None),
        ("train.learning_rate", "1e-3", 0.001),  # YAML 1.1 takes it for a string
        ("train.learning_rate", "2", 2.0),
        ("train.augment.stretch", "0", 0.0),
        ("train.weights.en", "0.5", 0.5),
        ("systems.both.layers", "[1, 3]", (1, 3)),
        ("systems.both.train.steps", "9", 9),
        ("languages.ru.fold", "{ё: е}", {"ё": "е"}),
        ("features.cmn", "utterance", "utterance"),
    ],
)
def test_overrides(raw, read, key, text, value):
    node = read(raw, {key: text})
    for part in key.split("."):
        node = node[part] if isinstance(node, dict) else getattr(node, part)
    assert node == value and type(node) is type(value)


def test_an_override_changes_only_its_own_place(raw, tmp_path):
    for name in ("plain", "both"):
        raw["systems"][name]["train"] = {"dropout": 0.1}
    shared = raw["systems"]["both"]["train"] = raw["systems"]["plain"]["train"]
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    assert "&id" in path.read_text(encoding="utf-8")  # an anchor, and an alias of it
    recipe = read_recipe(path, {"systems.plain.train.dropout": "0.5"})
    assert recipe.train_of("plain").dropout == 0.5
    assert recipe.train_of("both").dropout == shared["dropout"] == 0.1


def test_only_some_of_the_systems(raw, read):
    raw["systems"]["third"] = {"layers": [2]}
    everything = read(raw)
    for names, expected in (("both", ["both"]), ("third,plain", ["plain", "third"])):
        recipe = read(raw, {"systems": names, "systems.third.neurons": "7"})
        assert list(recipe.systems) == expected
        assert dataclasses.replace(recipe, systems=everything.systems) == everything
    assert (
        read(raw, {"systems": "third", "systems.third.neurons": "7"}).systems["third"].neurons == 7
    )
    assert list(read(raw, {"systems": "{x: {layers: [1]}}"}).systems) == ["x"]
    with pytest.raises(UserError, match="unknown system 'plan'; the nearest known one is 'plain'"):
        read(raw, {"systems": "both,plan"})


def test_an_override_changes_nothing_else(raw, read):
    before, after = as_plain(read(raw)), as_plain(read(raw, {"train.augment.warp": "0"}))
    assert before["train"]["augment"].pop("warp") == 1.0
    assert after["train"]["augment"].pop("warp") == 0.0
    assert before == after


def test_a_system_changes_training_for_itself(raw, read):
    raw["train"] = {"steps": 100, "dropout": 0.1, "augment": {"warp": 1.0}, "weights": {"en": 0.5}}
    raw["systems"]["both"]["train"] = {"steps": 200, "augment": {"stretch": 0.2}}
    recipe = read(raw)
    assert recipe.train_of("plain") == recipe.train
    expected = dataclasses.replace(recipe.train, steps=200, augment=Augment(stretch=0.2, warp=1.0))
    assert recipe.train_of("both") == expected
    raw["systems"]["both"]["train"] = {"weights": {"ru": 3}}
    assert read(raw).train_of("both").weights == {"en": 0.5, "ru": 3.0}


@pytest.mark.parametrize(
    ("key", "value", "unknown", "near"),
    [
        ("train.step", 1, "step", "steps"),
        ("train.augment.strech", 1, "strech", "stretch"),
        ("sistems", {}, "sistems", "systems"),
        ("features.filter", 1, "filter", "filters"),
        ("systems.both.layer", [1], "layer", "layers"),
        ("languages.ru.letter", "a", "letter", "letters"),
        ("systems.both.train.step", 1, "step", "steps"),
        ("systems.both.train.augment.time_mask", 1, "time_mask", "time_masks"),
        ("limits.0", 1, "0", "max_excluded"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(raw, read, key, value, unknown, near):
    with pytest.raises(UserError) as caught:
        read(raw, {key: yaml.safe_dump(value)})
    assert f"unknown key '{unknown}'" in str(caught.value)
    if unknown != "0":
        assert f"'{near}'" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("seed", "1.5"),
        ("seed", "yes"),
        ("train.steps", "many"),
        ("train.steps", "null"),
        ("train.epochs", "[]"),
        ("train.learning_rate", "fast"),
        ("train.learning_rate", "1.2.3e4"),
        ("train.learning_rate", "true"),
        ("train.learning_rate", "9" * 400),
        ("train.augment", "0"),
        ("train.weights", "[1]"),
        ("train.seconds.en", "half"),
        ("train.weights.en", "null"),
        ("features", "null"),
        ("systems", "[plain]"),
        ("systems.plain.cascade", "0"),
        ("systems.plain.layers", "4"),
        ("systems.plain.layers", "[true]"),
        ("systems.plain.layers", "[4.0]"),
        ("datasets", "{}"),
        ("datasets", "[1]"),
        ("languages.ru", "russian"),
        ("languages.ru.texts", "texts_ru"),
        ("languages.ru.voice", "{}"),
        ("target", "no"),
        ("name", "null"),
    ],
)
def test_a_wrong_type_names_the_key(raw, read, key, text):
    with pytest.raises(UserError, match=rf"'{key}(\[0\])?' must be"):
        read(raw, {key: text})


@pytest.mark.parametrize("key", ["target", "languages", "datasets", "systems"])
def test_a_missing_key_is_named(raw, read, key):
    del raw[key]
    with pytest.raises(UserError, match=f"the key '{key}' is missing"):
        read(raw)


def test_a_missing_inner_key_is_named(raw, read):
    del raw["systems"]["both"]["layers"]
    with pytest.raises(UserError, match=r"'systems\.both\.layers' is missing"):
        read(raw)
    raw["systems"].pop("both")
    raw["datasets"][0].pop("corpus")
    with pytest.raises(UserError, match=r"'datasets\[0\]\.corpus' is missing"):
        read(raw)


def test_a_key_that_yaml_takes_for_a_truth_value_is_an_error(read, raw):
    """``no`` is Norwegian to a user, and False to YAML."""
    text = yaml.safe_dump(raw).replace("  en:\n", "  no:\n")
    with pytest.raises(UserError, match=r"'languages'.*False.*quotes"):
        read(text)


def ext(**change):
    return {"role": "train_ext", "language": "en", "corpus": "table", **change}


PLACES = ["norm", "layer1", "layer2", "layer3", "layer4", "output"]


def systems(**change):
    """The recipe's systems, and one more, of which something is wrong."""
    wrong = {"layers": [2, 2], **change}
    return {"systems": {**SMALL["systems"], "x": wrong}}


def heard(**change):
    return ext(role="train_untranscribed", **{"language": "ru", **change})


def taught(y=None, **change):
    """A recipe with speech without transcripts, in which something of a system is wrong."""
    wrong = systems(**change)
    wrong["systems"] |= {"y": y} if y else {}
    return {"datasets": [*SMALL["datasets"], heard()], **wrong}


def trained(**change):
    return systems(train=change)


FOLDED = {**SMALL["languages"]["ru"], "fold": {"ий": "и"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a b"}, "'a b' is not a valid name"),
        ({"name": "../up"}, "not a valid name"),
        ({"target": "fr"}, "target 'fr' is not among the languages"),
        ({"datasets": [ext(role="tset")]}, "unknown role 'tset'; the nearest known one is 'test'"),
        ({"datasets": [ext(language="eng")]}, "unknown language 'eng'.* 'en'"),
        ({"datasets": [ext(isolated=True)]}, "'isolated' is for data sets of role 'valid'"),
        (
            {"datasets": [ext(role="valid")]},
            "role 'valid' is for the target language, not",
        ),
        ({"datasets": [ext(language="ru")]}, "is of the target language 'ru'. Name its stream"),
        ({"datasets": [ext(language="ru", stream="a b")]}, "'a b' is not a valid name for a st"),
        ({"datasets": [ext(language="ru", stream="shared")]}, "not a valid name for a stream"),
        ({"datasets": [ext(language="ru", stream="ru")]}, "stream 'ru': a language has this name"),
        ({"datasets": [ext(language="ru", stream="en")]}, "stream 'en': a language has this name"),
        ({"datasets": [ext(role="test", stream="x")]}, "is for the target language, not"),
        (
            {"datasets": [ext(role="test", language="ru", stream="x")]},
            "'stream' is for data sets of role 'train_ext' and 'train_untranscribed', not 'test'",
        ),
        (
            {"datasets": [ext(stream="x"), ext(language="ru", stream="x")]},
            "stream 'x' has data sets of 'ru' and of 'en'",
        ),
        ({"datasets": [heard(language="en")]}, "'train_untranscribed' is for the target language"),
        ({"datasets": [heard(stream="en")]}, "stream 'en': a language has this name"),
        (
            {"datasets": [ext(language="ru", stream="x"), heard(stream="x")]},
            "stream 'x' has data sets of role 'train_ext' and of role 'train_untranscribed'",
        ),
        (systems(teacher="plian"), "unknown system 'plian' in 'teacher'; .* is 'plain'"),
        (systems(teacher="plain"), "x has a teacher, but no data set has role 'train_untr"),
        (taught(languages=["untranscribed"]), "x: stream 'untranscribed' has no transcripts"),
        (taught(layers=[4], pool=["untranscribed"]), "stream 'untranscribed' has no transcripts"),
        (
            taught(layers=[4], teacher="plain"),
            r"x has a teacher, .* on no stream .* \(untranscribed\) in 'languages' or 'pool'",
        ),
        (taught(languages=["en"], teacher="plain"), "on no stream of role 'train_untranscribed'"),
        (taught(teacher="x"), r"x: it would learn from itself \(x <- x\)"),
        (
            taught(teacher="y", y={"layers": [2, 2], "start": "x"}),
            r"x: it would learn from itself \(x <- y <- x\)",
        ),
        (trained(min_confidence=0.96), "'systems.x.train.min_confidence' must be"),
        (systems(pool=["en"]), "x.pool: no stream 'en' of the target language"),
        (systems(pool=["there"]), "x.pool: no stream 'there' of the target language"),
        ({"datasets": [ext(name="a/b")]}, "'a/b' is not a valid name for a data set"),
        ({"datasets": [ext(corpus="../b")]}, "not a valid name for a data set"),
        ({"datasets": [ext(voices="lent")]}, "voices must be one of own, borrowed, not 'lent'"),
        ({"datasets": [ext(minutes=0)]}, "minutes' must be at least 0.01"),
        ({"datasets": [ext(speakers=0)]}, "speakers' must be 1 to 100000"),
        ({"datasets": [ext(channel="left")]}, "channel must be a number from 0, or 'mix'"),
        ({"datasets": [ext(), ext(path="other")]}, "two data sets of role 'train_ext' are named"),
        ({"datasets": []}, "no data set has the role 'train'"),
        ({"datasets": SMALL["datasets"][:2]}, "no data set has the role 'valid'"),
        ({"datasets": SMALL["datasets"][:3]}, "no data set has the role 'test'"),
        ({"systems": {}}, "names no network"),
        ({"systems": {"a/b": SMALL["systems"]["plain"]}}, "'a/b' is not a valid name"),
        (
            {"systems": {"lang": SMALL["systems"]["plain"]}},
            "lang: choose another name",
        ),
        (systems(layers=[4], share="lower"), r"x: 'layers' must be \[lower, upper\]"),
        (systems(layers=[4], languages=["en"]), r"x: 'layers' must be \[lower, upper\]"),
        (systems(layers=[1, 2, 1]), r"x: 'layers' must be \[lower, upper\]"),
        (systems(layers=[]), r"x: 'layers' must be \[number\]"),
        ({"systems": {"x": {"layers": [0, 2]}}}, "each at least 1"),
        ({"systems": {"x": {"layers": [2, 0]}}}, r"each at least 1\."),
        (systems(share="lower", layers=[0, 4]), r"each at least 1 \(upper may be 0\)\."),
        (
            {"datasets": [d for d in SMALL["datasets"] if d["role"] != "train_ext"]},
            "both is trained on several languages, but no data set has role 'train_ext'",
        ),
        (systems(share="both"), "x: 'share' must be one of upper, lower, all"),
        (systems(encoder="lstn"), "x: 'encoder' must be one of lstm, blstm, conformer, not 'lstn'"),
        ({"encoder": "gru"}, "encoder must be one of lstm, blstm, conformer, not 'gru'"),
        (
            systems(encoder="blstm", start="both"),
            "x: it cannot start from 'both': the 'encoder' of one is blstm, that of the other lstm",
        ),
        (systems(share="all"), r"x: 'layers' must be \[number\]"),
        (systems(cascade=True, layers=[4]), "'cascade: true' contradicts .* on the target only"),
        (systems(cascade=False), "'cascade: false' contradicts .* on several languages"),
        (systems(cascade=False, layers=[4], share="all"), "'cascade: false' contradicts"),
        (systems(cascade=False, layers=[4], languages=["en"]), "'cascade: false' contradicts"),
        (systems(languages=["cs"]), "x: no data set of role 'train_ext' is of 'cs'"),
        (
            systems(start="botj"),
            "x: unknown system 'botj' in 'start'; the nearest known one is 'both'",
        ),
        (systems(start="x"), r"x: it would start from itself"),
        (systems(freeze=["norm"]), "'freeze' needs a 'start'"),
        (
            systems(start="both", freeze=["layer5"]),
            "'freeze' may have norm, .*, output, not 'layer5'",
        ),
        (systems(start="both", freeze=PLACES), "'freeze' leaves nothing to train"),
        (trained(active={"en": [0.5]}), "'en' must be two numbers, such as"),
        (trained(active={"en": [0.5, 0.2]}), "'en' must be two numbers"),
        (
            trained(active={"en": [0.2, 1], "ru": [0.5, 1]}),
            "no language is active from 0 of",
        ),
        (
            trained(active={"en": [0, 0.2], "ru": [0.5, 1]}),
            "no language is active from 0.2 of",
        ),
        (trained(active={"cs": [0, 1]}), "train.active: unknown language or stream 'cs'"),
        (
            {"features": {"cmn": "utterance"}, **trained(augment={"utterance_mean": 0.5})},
            "augment.utterance_mean needs features.cmn: online",
        ),
        (trained(weights={"ru": "auto"}), "'ru' is the target; others are weighed by it"),
        (trained(weights={"en": -1}), "'en' must be 0 or more, not -1"),
        (trained(weights={"en": float("nan")}), "'en' must be 0 or more, not nan"),
        (trained(weights={"en": float("inf")}), "'en' must be 0 or more, not inf"),
        ({"features": {"rate": 22050}}, "features.rate must be a multiple of 100, not 22050"),
        ({"limits": {"min_seconds": 50}}, "min_seconds must be at most limits.max_seconds"),
        (trained(weights={"en": "some"}), "weights: 'en' must be a number or 'auto'"),
        (trained(augment_of={"cs": {"warp": 1}}), "augment_of: unknown language or stream 'cs'"),
        (trained(augment_of={"en": {"wrap": 1}}), "unknown key 'wrap'.*'warp'"),
        (trained(augment_of={"en": {"warp": -1}}), r"augment_of\.en\.warp. must be 0 to 8, not -1"),
        (trained(seconds={"en": 0}), "'en' must be at least 0.1"),
        ({"language_model": {"order": 1}}, "'language_model.order' must be 2 to 5, not 1"),
        ({"language_model": {"phone_order": 6}}, "phone_order' must be 2 to 5, not 6"),
        ({"features": {"cmn": "off"}}, "cmn must be 'online' or 'utterance'"),
        ({"target_minutes": "some"}, "number of minutes, or 'all'"),
        ({"target_minutes": -1}, "number of minutes, or 'all'"),
        ({"limits": {"max_excluded": "few"}}, "share such as 5%"),
        ({"train": {"checkpoint_every": "1h"}}, "time such as 60s"),
        (trained(checkpoint_every="1h"), "time such as 60s"),
        ({"train": {"loss": "fast"}}, "train.loss must be one of auto, exact, pytorch"),
        ({"train": {"precision": "fp8"}}, "one of float32, bfloat16, tf32"),
        ({"train": {"accumulate": 0}}, "accumulate"),
        ({"languages": {**SMALL["languages"], "ru": FOLDED}}, "ru.fold must map single letters"),
    ],
)
def test_a_recipe_that_contradicts_itself(raw, read, change, message):
    with pytest.raises(UserError, match=message) as caught:
        read(raw | change)
    assert "recipe.json" in str(caught.value)


def test_isolated_words_say_nothing_of_sentences(raw, read):
    valid = next(d for d in raw["datasets"] if d["role"] == "valid")
    raw["datasets"].append(valid | {"name": "words", "isolated": True})
    assert [d.name for d in read(raw).role("valid")] == [valid.get("name", ""), "words"]
    assert read(raw).valid_sentences == read(raw).role("valid")[:1]
    valid["isolated"] = True  # better than none
    assert read(raw).valid_sentences == read(raw).role("valid")


def test_the_languages_of_a_system(raw, read):
    raw["languages"]["cs"] = {"letters": "a", "voice": "cs"}
    raw["datasets"].append(ext(language="cs"))
    raw["systems"]["two"] = {"layers": [4], "share": "all", "languages": ["cs"]}
    recipe = read(raw)
    languages = {name: [*recipe.streams_of(name)] for name in recipe.systems}
    assert languages == {"plain": ["ru"], "both": ["ru", "en", "cs"], "two": ["ru", "cs"]}


def test_a_stream_s_augmentation_differs_where_the_recipe_says(raw, read):
    raw["train"] = {"augment": {"warp": 2}, "augment_of": {"en": {"warp": 1, "stretch": 0.3}}}
    raw["systems"]["both"]["train"] = {"augment_of": {"ru": {"warp": 3}}}
    recipe = read(raw)
    augment = recipe.train.augment
    assert recipe.augment_of("both", "en") == dataclasses.replace(augment, warp=1, stretch=0.3)
    assert recipe.augment_of("both", "ru") == dataclasses.replace(augment, warp=3)
    assert recipe.augment_of("plain", "ru") == augment


def test_a_stream_of_the_target_language(raw, read):
    borrowed = ext(language="ru", stream="borrowed")
    raw["datasets"] += [borrowed, {**borrowed, "name": "more"}, ext(name="english")]
    raw["systems"]["alone"] = {"layers": [2, 2], "languages": ["borrowed"]}
    raw["systems"]["pooled"] = {"layers": [4], "pool": ["borrowed"]}
    raw["systems"]["beside"] = {"layers": [2, 2], "languages": ["en"], "pool": ["borrowed"]}
    raw["train"] = {"weights": {"borrowed": 0.5}}
    recipe = read(raw)
    assert recipe.ext_streams == {"en": "en", "borrowed": "ru"}
    assert recipe.ext_languages == ["en"]
    assert recipe.streams_of("both") == {"ru": "ru", "en": "en", "borrowed": "ru"}
    speech = {
        name: {stream: [d.label for d in data] for stream, data in recipe.speech_of(name).items()}
        for name in recipe.systems
    }
    own, english, made = ["table"], ["table", "english"], ["table", "more"]
    assert speech["plain"] == {"ru": own}
    assert speech["both"] == {"ru": own, "en": english, "borrowed": made}
    assert speech["alone"] == {"ru": own, "borrowed": made}
    assert speech["pooled"] == {"ru": own + made}
    assert speech["beside"] == {"ru": own + made, "en": english}
    raw["systems"]["beside"]["languages"] = []
    with pytest.raises(UserError, match="'borrowed' is in 'pool' and a stream of its own"):
        read(raw)


def test_a_teacher_transcribes_what_others_do_not_hear(raw, read):
    raw["datasets"] += [heard(), heard(name="hers", stream="hers")]
    raw["systems"] |= {
        "all": {"layers": [2, 2], "teacher": "plain"},
        "hers": {"layers": [4], "share": "all", "languages": ["hers"], "teacher": "all"},
        "pooled": {"layers": [4], "pool": ["untranscribed"], "teacher": "hers"},
    }
    raw["train"] = {"weights": {"untranscribed": 0.5, "hers": 0.3}}
    recipe = read(raw)
    assert recipe.ext_streams == {"en": "en"} and recipe.ext_languages == ["en"]
    streams = {name: [*recipe.streams_of(name)] for name in recipe.systems}
    assert streams == {
        "plain": ["ru"],
        "both": ["ru", "en"],
        "all": ["ru", "en", "untranscribed", "hers"],
        "hers": ["ru", "hers"],
        "pooled": ["ru"],
    }
    sets = {name: [d.label for d in recipe.transcribed_for(name)] for name in recipe.systems}
    assert sets == {
        **{"plain": [], "both": [], "all": ["table", "hers"]},
        **{"hers": ["hers"], "pooled": ["table"]},
    }
    assert recipe.teachers == ["plain", "all", "hers"]
    kept = read(raw, {"systems": "hers"})
    assert [*kept.systems] == ["plain", "all", "hers"]  # the chain of its teachers


@pytest.mark.parametrize(
    ("keys", "multilingual"),
    [
        ({"layers": [4]}, False),
        ({"layers": [2, 2]}, True),
        ({"layers": [2, 2], "share": "lower"}, True),
        ({"layers": [4, 0], "share": "lower"}, True),
        ({"layers": [4], "share": "all"}, True),
        ({"layers": [2, 2], "languages": ["en"]}, True),
    ],
)
def test_layers_and_share_say_whether_a_system_has_several_languages(raw, read, keys, multilingual):
    raw["systems"] = {"x": keys}
    recipe = read(raw)
    assert recipe.systems["x"].multilingual is multilingual
    assert [*recipe.streams_of("x")] == (["ru", "en"] if multilingual else ["ru"])
    raw["systems"]["x"] = {**keys, "cascade": multilingual}  # as older recipes have it
    assert as_plain(read(raw)) == as_plain(recipe)  # so that no stamp is stale
    assert as_plain(recipe)["systems"]["x"]["cascade"] is multilingual


def test_a_system_starts_from_another_or_from_a_folder(raw, read):
    raw["systems"]["more"] = {**raw["systems"]["plain"], "start": "both", "freeze": ["norm"]}
    raw["systems"]["other"] = {**raw["systems"]["plain"], "start": "models/there"}
    recipe = read(raw)
    assert [recipe.before(name) for name in ("more", "other", "plain")] == ["both", None, None]


def like(tmp_path, raw, name, **changes):
    """Writes a recipe and, in a folder beside it, one that is like it."""
    for folder, content in (("base", raw), (name, {"like": "base", **changes})):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "recipe.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path / name / "recipe.yaml"


def test_a_recipe_like_another_says_what_differs(tmp_path, raw):
    raw["train"] = {"steps": 7, "dropout": 0.5, "augment": {"warp": 2, "stretch": 0.2}}
    changes = {
        "train": {"dropout": 0.25, "augment": {"warp": 3}},
        "systems": {"both": None, "one": {"layers": [4], "share": "all"}},
        "datasets": [*raw["datasets"][1:], {**raw["datasets"][0], "path": "elsewhere"}],
    }
    recipe = read_recipe(like(tmp_path, raw, "other", **changes))
    assert recipe.name == "other"  # not small, the name that the first gives itself
    assert (recipe.train.steps, recipe.train.dropout) == (7, 0.25)
    assert (recipe.train.augment.warp, recipe.train.augment.stretch) == (3, 0.2)
    assert list(recipe.systems) == ["plain", "one"]
    assert recipe.role("train")[0].path == "elsewhere" and len(recipe.datasets) == 4


def test_a_recipe_elsewhere_is_like_one_of_the_project(tmp_path, raw):
    mine, beside = tmp_path / "some" / "mine.yaml", tmp_path / "ru_en" / "recipe.yaml"
    mine.parent.mkdir()
    mine.write_text("like: ru_en\nseed: 7\n", encoding="utf-8")
    recipe = read_recipe(mine)
    assert (recipe.name, recipe.seed, recipe.target_minutes) == ("mine", 7, "15")
    beside.parent.mkdir()
    beside.write_text(yaml.safe_dump(raw | {"target_minutes": 3}), encoding="utf-8")
    assert read_recipe(mine).target_minutes == "3"  # one beside comes first


def test_what_is_taken_away_must_be_there(tmp_path, raw):
    for change, near in (({"targ": None}, "target"), ({"systems": {"bth": None}}, "both")):
        with pytest.raises(
            UserError, match=f"has no value. That removes it .*; the nearest key there is '{near}'"
        ):
            read_recipe(like(tmp_path, raw, "other", **change))


def test_a_file_of_another_name_is_another_experiment(tmp_path, raw):
    del raw["name"]
    (tmp_path / "pair").mkdir()
    for file, name in (("recipe.yaml", "pair"), ("narrow.yaml", "narrow")):
        (tmp_path / "pair" / file).write_text(yaml.safe_dump(raw), encoding="utf-8")
        assert read_recipe(tmp_path / "pair" / file).name == name


def test_steps_beside_epochs(raw, read):
    raw["train"] = {"epochs": 2, "steps": 100}  # as a recipe may have from another
    assert read(raw).train.epochs == 2
    for more in ({}, {"train.epochs": "null"}):  # what is said last counts
        train = read(raw, {"train.steps": "30", **more}).train
        assert (train.steps, train.epochs) == (30, None)
    assert read(raw, {"train.steps": "30", "train.epochs": "3"}).train.epochs == 3


def test_a_system_with_steps_beside_a_recipe_with_epochs(raw, read):
    raw["train"] = {"epochs": 2}
    raw["systems"]["both"]["train"] = {"steps": 30}
    recipe = read(raw)
    assert recipe.train_of("plain").epochs == 2
    own = recipe.train_of("both")
    assert (own.steps, own.epochs) == (30, None)


def test_steps_in_a_recipe_like_one_with_epochs(tmp_path, raw):
    raw["train"] = {"epochs": 2, "dropout": 0.1}
    train = read_recipe(like(tmp_path, raw, "other", train={"steps": 30})).train
    assert (train.steps, train.epochs, train.dropout) == (30, None, 0.1)


def test_a_recipe_like_one_in_json(tmp_path, raw):
    file = like(tmp_path, raw, "other", seed=7)
    (tmp_path / "base/recipe.yaml").unlink()
    (tmp_path / "base/recipe.json").write_text(json.dumps(raw), encoding="utf-8")
    assert read_recipe(file).seed == 7


def test_likeness_goes_on_and_ends(tmp_path, raw):
    second = like(tmp_path, raw, "second", seed=1)
    third = tmp_path / "third" / "recipe.yaml"
    third.parent.mkdir()
    third.write_text("like: ../second/recipe.yaml\ntarget_minutes: 3\n", encoding="utf-8")
    recipe = read_recipe(third, {"train.steps": "3"})
    assert (recipe.seed, recipe.target_minutes, recipe.train.steps) == (1, "3", 3)
    second.write_text("like: third\n", encoding="utf-8")
    with pytest.raises(UserError, match="'like: third' leads back to this recipe"):
        read_recipe(third)
    second.write_text("like: nothing\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"There is no recipe at .*nothing/recipe.yaml"):
        read_recipe(third)


def test_chosen_systems_bring_those_that_they_start_from(raw, read):
    raw["systems"]["more"] = {**raw["systems"]["plain"], "start": "both"}
    raw["systems"]["most"] = {**raw["systems"]["plain"], "start": "more"}
    assert list(read(raw, {"systems": "most"}).systems) == ["both", "more", "most"]


def test_without_train_ext_a_plain_network_will_do(raw, read):
    raw["datasets"] = [d for d in raw["datasets"] if d["role"] != "train_ext"]
    del raw["systems"]["both"]
    assert read(raw).ext_languages == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("- a\n", "must be a mapping"),
        ("a: b: c\n", "is not valid YAML"),
        ("a: [\n", "is not valid YAML"),
        ("seed: 2020-13-45\n", "is not valid YAML"),
        ("{[1]: 2}", "is not valid YAML"),
        ("!!python/object/apply:os.getcwd []", "is not valid YAML"),
        ("[" * 1200, "is not valid YAML"),
        ("seed: 0\ntrain:\n  steps: 1\n  steps: 2\n", "'steps' appears twice .* line 4"),
    ],
)
def test_a_file_that_is_no_recipe(read, text, message):
    with pytest.raises(UserError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path, read):
    with pytest.raises(UserError, match="There is no recipe at"):
        read_recipe(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        read_recipe(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: café".encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        read_recipe(tmp_path / "latin.yaml")
    with pytest.raises(UserError, match="is not valid JSON"):
        (tmp_path / "half.json").write_text('{"name": ')
        read_recipe(tmp_path / "half.json")
    with pytest.raises(UserError, match="'seed' appears twice in a mapping"):
        (tmp_path / "twice.json").write_text('{"seed": 0, "target": "ru", "seed": 1}')
        read_recipe(tmp_path / "twice.json")


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("trian.steps", "1", "unknown key 'trian'.*'train'"),
        ("target.x", "1", "'target' is not a section"),
        ("seed.x", "1", "'seed' must be of type int"),
        ("datasets.0.role", "test", "'datasets' is not a section"),
        ("seed", "[", "--seed: '\\[' is not valid YAML"),
        ("seed", "2020-13-45", "--seed: '2020-13-45' is not valid YAML"),
        ("seed", "[" * 1200, "is not valid YAML"),
        ("", "1", "unknown key ''"),
    ],
)
def test_an_override_that_does_not_fit(raw, read, key, text, message):
    with pytest.raises(UserError, match=message):
        read(raw, {key: text})


# Whatever stands in the file: a recipe, or one sentence about what is wrong with it.

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400) | st.integers(-2, 3),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["all", "1.2.3e4", "1e-3", "5%", "ru", "en", "train", "table", "-"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["steps", "augment", "role"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(node, at=()):
    """The path of every value below ``node``, and of a key that it does not have."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    paths = [(*at, "extra")] if isinstance(node, dict) else []
    for key, value in items:
        paths.append((*at, key))
        if isinstance(value, (dict, list)):
            paths += places(value, (*at, key))
    return paths


FULL = json.loads(json.dumps(SMALL)) | {
    "seed": 0,
    "target_minutes": 15,
    "limits": {"max_excluded": "5%", "min_seconds": 0.2, "max_seconds": 40},
    "features": {"rate": 16000, "filters": 40, "stack": 3, "cmn": "online"},
    "language_model": {"order": 3, "prune": 1e-7},
    "train": {"steps": 1, "learning_rate": 0.1, "weights": {"ru": 1}, "augment": {"warp": 1}},
    "decode": {"beam": 12},
}
FULL["systems"]["both"]["train"] = {"epochs": 2, "augment": {"warp": 0}, "weights": {}}
PLACES = places(FULL)
CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), st.booleans(), VALUES), max_size=3)


def changed(changes):
    """``FULL`` with some values taken out or put in the place of others."""
    raw = json.loads(json.dumps(FULL))
    for path, keep, value in changes:
        node = raw
        try:
            for key in path[:-1]:
                node = node[key]
            if keep:
                node[path[-1]] = value
            else:
                del node[path[-1]]
        except (KeyError, IndexError, TypeError):
            pass  # an earlier change took its place away
    return raw


def recipe_or_sentence(path, overrides=None):
    try:
        recipe = read_recipe(path, overrides)
    except UserError as error:
        message = str(error)
        assert len(message.removeprefix(f"{path}: ")) > 15
        assert message.endswith(".") and "\n" not in message
    else:
        assert isinstance(recipe, Recipe)
        for system in recipe.systems:
            assert isinstance(recipe.train_of(system), Train)


QUIET = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@QUIET
@given(changes=CHANGES)
def test_any_change_gives_a_recipe_or_a_sentence(tmp_path_factory, changes):
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_text(json.dumps(changed(changes)))
    recipe_or_sentence(path)


@QUIET
@given(
    key=st.sampled_from([".".join(map(str, p)) for p in PLACES]) | st.text("ab.-0é "),
    value=st.text(),
)
def test_any_override_gives_a_recipe_or_a_sentence(tmp_path_factory, key, value):
    path = tmp_path_factory.getbasetemp() / "full.json"
    if not path.exists():
        path.write_text(json.dumps(FULL))
    recipe_or_sentence(path, {key: value})


@QUIET
@given(text=st.text("ab:-[]{}&*!|>'\"#?,%@` \n\t0.eé\x00", max_size=30) | VALUES.map(yaml.dump))
def test_any_text_gives_a_recipe_or_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / f"any{os.getpid()}.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    recipe_or_sentence(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.steps", "-5"),
        ("train.epochs", "0"),
        ("train.dropout", "1.5"),
        ("train.learning_rate", ".nan"),
        ("train.augment.stretch", "2"),
        ("features.stack", "0"),
        ("language_model.order", "0"),
        ("decode.beam", "-1"),
        ("systems.plain.neurons", "0"),
    ],
)
def test_a_number_out_of_its_range_is_refused_by_name(raw, read, key, value):
    with pytest.raises(UserError, match=re.escape(f"'{key}' must be")):
        read(raw, {key: value})


def test_a_share_above_all_is_refused(raw, read):
    with pytest.raises(UserError, match="max_excluded"):
        read(raw, {"limits.max_excluded": "5"})
    assert read(raw, {"limits.max_excluded": "0.05"}).limits.excluded_share == 0.05


def test_a_weight_of_a_language_that_is_not_there_is_refused(raw, read):
    with pytest.raises(UserError, match="unknown language or stream 'fr'"):
        read(raw, {"train.weights": "{fr: 2.0}"})


def test_keys_that_only_some_corpora_take(raw, read):
    keys = {"voices": "borrowed", "speakers": 9, "minutes": 0.5}
    raw["datasets"][1] |= {**keys, "speeds": [0.9, 1.6]}
    options = [d.options for d in read(raw).datasets]
    assert options == [{}, {**keys, "speeds": (0.9, 1.6)}, {}, {}]


@pytest.mark.parametrize("speeds", [[1], [1.2, 0.9], [0.1, 1], [1, 3], [1, 1, 1]])
def test_speeds_of_voices_are_two_numbers(raw, read, speeds):
    raw["datasets"][1]["speeds"] = speeds
    with pytest.raises(UserError, match=r"speeds must be two numbers of 0\.5 to 2"):
        read(raw)


@pytest.mark.parametrize(("there", "asked"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_files_are_found_in_another_normal_form(raw, read, tmp_path, there, asked):
    files = {}
    for name in ("лексикон й.txt", "тексты й.txt", "й.dic", "записи й", "модель й"):
        path = tmp_path / unicodedata.normalize(there, name)
        path.mkdir() if "." not in name else path.touch()
        files[str(tmp_path / unicodedata.normalize(asked, name))] = str(path)
    lexicon, text, dictionary, speech, model = files
    raw["languages"]["ru"] |= {"lexicon": lexicon, "texts": [text], "dictionaries": [dictionary]}
    raw["languages"]["ru"]["read_aloud"] = [text]
    raw["datasets"][0]["path"] = speech
    raw["systems"]["plain"]["start"] = model
    recipe = read(raw)
    ru = recipe.languages["ru"]
    named = [ru.lexicon, *ru.texts, *ru.dictionaries]
    named += [recipe.datasets[0].path, recipe.systems["plain"].start]
    assert named == list(files.values()) and ru.read_aloud == ru.texts


def test_a_recipe_that_is_like_one_in_another_normal_form(raw, tmp_path):
    base = tmp_path / unicodedata.normalize("NFD", "й.yaml")
    base.write_text(yaml.safe_dump(raw), encoding="utf-8")
    changed = tmp_path / "changed.yaml"
    changed.write_text("like: й.yaml\nseed: 7\n", encoding="utf-8")
    assert read_recipe(changed).seed == 7
