import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.config.sections import Dataset, Language, Split
from cascade.drafting.recipe_text import PASSES, Draft, ExistingSettings, training

DATASETS = tuple(
    Dataset(role, "no", "table", path="/a: b/'c' #1", name="x", split=Split(span, seed=7))
    for role, span in (("train", (0.0, 80.5)), ("valid", (80.5, 90.0)), ("test", (90.0, 100.0)))
)
DRAFT = Draft(
    name="pair",
    target="no",
    datasets=(*DATASETS, Dataset("train_ext", "hi", "mls", part="train", path="h", name="h")),
    languages={
        "no": Language("abå'", "nb", fold={"å": "aa"}, phone_map={"ʉ": "u", "ɚ": "ə ɹ"}),
        "hi": Language("हिन्दी", "hi", lexicon="words: mine.txt"),
    },
    language_names={"no": "Norwegian", "hi": "Hindi"},
    origins={"no": "a table: x", "hi": "MLS"},
    existing={
        "no": ExistingSettings("no_sv", Language("abå", "nb", texts=("texts_no",)), True),
        "hi": ExistingSettings(
            "hi_ur", Language("हि", "hi", texts=("x",), phone_map={"ɽ": "r"}), False
        ),
    },
    rate=8000,
    hours=3.0,
    words=20_000,
    max_excluded=12,
)


def test_what_goes_in_comes_out(read):
    recipe = read(DRAFT.text())
    assert recipe.datasets == DRAFT.datasets
    texts = {"no": ("texts_no",), "hi": ()}
    assert recipe.languages == {
        code: dataclasses.replace(language, texts=texts[code])
        for code, language in DRAFT.languages.items()
    }
    assert (recipe.target, recipe.features.rate, recipe.limits.max_excluded) == ("no", 8000, "12%")
    assert list(recipe.systems) == ["plain", "cascade", "lower"]
    assert recipe.systems["lower"].share == "lower" and recipe.language_model.order == 3
    assert recipe.language_model.open
    assert "    # recipes/hi_ur also has:\n    # phone_map: {ɽ: r}\n" in DRAFT.text()


def test_defaults_of_data_sets_are_left_out():
    for key in ("isolated", "channel", "speeds"):
        assert key not in DRAFT.text()


def test_every_section_says_what_it_is():
    for section in DRAFT.text().split("\n\n"):
        assert section.startswith("#") or section.startswith("target:"), section
    assert max(map(len, DRAFT.text().splitlines())) < 200


def test_a_trial_downloads_no_texts(read):
    small = dataclasses.replace(DRAFT, hours=0.05)
    assert read(small.text()).languages == DRAFT.languages
    assert "    # recipes/no_sv also has:\n    # texts: [texts_no]\n" in small.text()


@pytest.mark.parametrize(
    ("hours", "dictionaries", "spelt"),
    [(0.05, (), False), (0.5, (), True), (0.5, ("words_no",), False), (0.05, ("words_no",), False)],
)
def test_unknown_words_are_spelt_where_nothing_better_is_there(read, hours, dictionaries, spelt):
    language = dataclasses.replace(DRAFT.existing["no"].language, dictionaries=dictionaries)
    existing = {"no": dataclasses.replace(DRAFT.existing["no"], language=language)}
    recipe = read(dataclasses.replace(DRAFT, hours=hours, existing=existing).text())
    assert recipe.language_model.open == spelt
    assert recipe.languages["no"].dictionaries == (dictionaries if hours > 0.1 else ())


def test_one_language_has_no_cascade(read):
    alone = dataclasses.replace(
        DRAFT, datasets=DATASETS, languages={"no": DRAFT.languages["no"]}, words=100, max_excluded=0
    )
    recipe = read(alone.text())
    assert set(recipe.systems) == {"plain"} and recipe.language_model.order == 2
    assert recipe.limits.max_excluded == "5%"


def test_borrowed_voices_are_a_stream_that_only_deep_hears(read):
    language = dataclasses.replace(DRAFT.existing["no"].language, read_aloud=("texts_no",))
    existing = {"no": dataclasses.replace(DRAFT.existing["no"], language=language)}
    recipe = read(dataclasses.replace(DRAFT, borrowed=20, existing=existing).text())
    assert recipe.ext_streams == {"hi": "hi", "borrowed": "no"}
    streams = {system: list(recipe.streams_of(system)) for system in recipe.systems}
    both = ["no", "hi"]
    assert streams == {"plain": ["no"], "cascade": both, "deep": [*both, "borrowed"]}
    (heard,), (held,) = recipe.stream("borrowed"), recipe.role("valid")[1:]
    assert (heard.minutes, held.minutes, held.voices) == (20, 20, "borrowed")
    assert heard.split.between[1] == held.split.between[0]
    assert recipe.languages["no"].read_aloud == ("texts_no",)
    deep = recipe.train_of("deep")
    assert (deep.weights, deep.seconds) == ({"hi": 0.2}, {"hi": 20})
    assert recipe.train_of("cascade").weights == {}


def test_a_folder_may_have_the_name_of_the_borrowed_voices(read):
    own = tuple(dataclasses.replace(d, name="voices") for d in DATASETS)
    draft = dataclasses.replace(DRAFT, datasets=(*own, DRAFT.datasets[-1]), borrowed=5)
    names = [d.name for d in read(draft.text()).role("valid")]
    assert names == ["voices", "borrowed_voices"]


def test_borrowed_voices_need_no_second_language(read):
    alone = dataclasses.replace(
        DRAFT, datasets=DATASETS, languages={"no": DRAFT.languages["no"]}, borrowed=5
    )
    recipe = read(alone.text())
    assert list(recipe.systems) == ["plain", "deep"]
    assert list(recipe.streams_of("deep")) == ["no", "borrowed"]
    assert alone.text().startswith("# Norwegian, trained with borrowed voices.")


def test_several_languages_share_all_layers_and_do_not_outweigh_the_target(read):
    codes = ("hi", "sv", "da", "de", "nl", "fi")
    several = dataclasses.replace(
        DRAFT,
        datasets=(*DATASETS, *(Dataset("train_ext", c, "mls", path=c, name=c) for c in codes)),
        languages={**DRAFT.languages, **{c: Language("ab", c) for c in codes[1:]}},
        language_names={**DRAFT.language_names, **{c: c for c in codes[1:]}},
        origins={},
    )
    recipe = read(several.text())
    assert list(recipe.systems) == ["plain", "cascade", "deep"]
    deep = recipe.train_of("deep")
    assert set(deep.weights) == set(deep.seconds) == set(codes)
    assert sum(deep.seconds.values()) <= 2 * deep.batch_seconds
    assert list(recipe.streams_of("cascade")) == ["no", *codes]


@given(st.floats(0.001, 2000))
def test_training_suits_the_speech(hours):
    settings = training(hours)
    passes = settings["steps"] * settings["batch_seconds"] / (3600 * hours)
    assert passes >= PASSES
    assert settings["steps"] >= 5 * settings["valid_every"]
    if hours > 2:
        assert passes <= 2 * 5000 * 40 / (3600 * 2)


@pytest.mark.parametrize(("hours", "steps"), [(0.05, 900), (0.25, 5000), (1.4, 5000), (9, 17000)])
def test_steps(hours, steps):
    assert training(hours)["steps"] == steps


def test_texts_of_the_user_come_beside_those_of_another_recipe(read):
    mine = dataclasses.replace(DRAFT, texts=("mine.txt",), words=100)
    recipe = read(mine.text())
    assert recipe.languages["no"].texts == ("texts_no", "mine.txt")
    assert recipe.language_model.order == 3
    small = dataclasses.replace(mine, hours=0.05)
    assert read(small.text()).languages["no"].texts == ("mine.txt",)
    new = dataclasses.replace(mine, existing={})
    assert read(new.text()).languages["no"].texts == ("mine.txt",)
    assert "sentences.txt" not in new.text()


@pytest.mark.parametrize("borrowed", [0, 5])
def test_speech_without_transcripts_has_a_teacher_for_plain_and_for_the_best(read, borrowed):
    more = Dataset("train_untranscribed", "no", "beside", path="m", name="m")
    draft = dataclasses.replace(DRAFT, datasets=(*DRAFT.datasets, more), borrowed=borrowed)
    recipe = read(draft.text())
    best = "deep" if borrowed else "lower"
    assert recipe.teachers == ["plain", best]
    assert recipe.systems["plain2"].pool == ("untranscribed",)
    pupil, teacher = recipe.systems[f"{best}2"], recipe.systems[best]
    assert dataclasses.replace(pupil, teacher=None) == teacher
    assert "untranscribed" in recipe.streams_of(f"{best}2")
    assert "untranscribed" not in recipe.streams_of("cascade")
    assert recipe.train_of(f"{best}2").weights["untranscribed"] == 0.5
    alone = dataclasses.replace(
        DRAFT, datasets=(*DATASETS, more), languages={"no": DRAFT.languages["no"]}
    )
    assert list(read(alone.text()).systems) == ["plain", "plain2"]
