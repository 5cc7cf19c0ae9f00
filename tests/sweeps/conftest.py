"""A tiny recipe, for sweeps of it."""

import pytest

WORDS = ["да", "нет", "кот", "дом", "лес", "река", "поле", "море", "луг"]
RECIPE = """
target: ru
datasets:
  - {{role: train, language: ru, corpus: table, path: {train}}}
  - {{role: valid, language: ru, corpus: table, path: {valid}}}
  - {{role: test, language: ru, corpus: table, path: {test}, name: mine}}
languages: {{ru: {{letters: абвгдежзиклмнопрстуфьюя, voice: ru}}}}
systems:
  small: {{layers: [1], neurons: 4}}
  large: {{layers: [1], neurons: 8}}
  other: {{layers: [1], neurons: 2}}
train: {{steps: 3, valid_every: 3}}
language_model: {{order: 2}}
"""


@pytest.fixture
def tiny(tmp_path, listed):
    """The options of a run of the recipe, its folder and that of its experiment."""
    texts = {"train": "раз", "valid": "два", "test": "три"}
    paths = {n: listed(n, [f"{word} {text}" for word in WORDS], 1.5) for n, text in texts.items()}
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.format(**paths), encoding="utf-8")
    options = ["--recipe", folder / "recipe.yaml", "--exp", tmp_path / "exp", "--seed", 7]
    options += ["--seeds", 2, "--systems", "small,large"]
    return options, folder, tmp_path / "exp/tiny"
