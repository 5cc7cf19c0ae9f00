"""A sweep of a tiny recipe, from nothing to the picture; two of its points cannot work."""

import json
import xml.etree.ElementTree as ET

import pytest
from conftest import run

WORDS = ["да", "нет", "кот", "дом", "лес", "река", "поле", "море", "луг"]
RECIPE = """
target: ru
datasets:
  - {{role: train, language: ru, corpus: table, path: {train}}}
  - {{role: valid, language: ru, corpus: table, path: {valid}}}
  - {{role: test, language: ru, corpus: table, path: {test}, name: mine}}
languages: {{ru: {{letters: абвгдежзиклмнопрстуфьюя, voice: ru}}}}
systems:
  small: {{cascade: false, layers: [1], neurons: 4}}
  large: {{cascade: false, layers: [1], neurons: 8}}
  other: {{cascade: false, layers: [1], neurons: 2}}
train: {{steps: 3, valid_every: 3}}
language_model: {{order: 2}}
"""
POINTS = [f"target_minutes={value},seed={seed}" for value in ("0", "all") for seed in (7, 8)]
FILES = ("sweep.json", "sweep_significance.json", "SWEEP.md", "sweep.svg")


@pytest.fixture
def tiny(tmp_path, listed):
    """The options of a sweep whose points of 0 minutes fail."""
    texts = {"train": "раз", "valid": "два", "test": "три"}
    paths = {n: listed(n, [f"{word} {text}" for word in WORDS], 1.5) for n, text in texts.items()}
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.format(**paths), encoding="utf-8")
    options = ["--recipe", folder / "recipe.yaml", "--exp", tmp_path / "exp", "--seed", 7]
    options += ["--sweep", "target_minutes=all,0", "--seeds", 2, "--systems", "small,large"]
    return options, folder, tmp_path / "exp/tiny/sweep"


def test_a_sweep(tiny):
    options, folder, sweep = tiny
    text = run(*options, "--dry-run").stderr
    assert "4 points, 0 of them done." in text
    for point in POINTS:
        assert f"{point} would run: stage 0, corpora: it has not run yet." in text
    assert not sweep.exists()

    done = run(*options, expect=1)
    assert f"cascade: 2 of 4 points failed; see their logs:\n  {POINTS[0]}: " in done.stderr
    assert "not one utterance of corpus 'table' is usable" in done.stderr
    assert f"2 of 4 points are in {folder}/SWEEP.md" in done.stderr
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == POINTS
    for point in POINTS:
        assert "Stage 0, corpora runs" in (sweep / point / "run.log").read_text()

    rows = json.loads((folder / "sweep.json").read_text())
    kinds = [(row["target_minutes"], row["seed"], row["test"], row["system"]) for row in rows]
    assert kinds == [("all", seed, "mine", name) for seed in (7, 8) for name in ("small", "large")]
    for row in rows:
        point = sweep / POINTS[row["seed"] - 5]
        found = json.loads((point / "results.json").read_text())["tests"]["mine"]["systems"]
        values = found[row["system"]]
        given = {"system", "target_minutes", "minutes", "seed", "test", "oov"}
        assert {key: values[key] for key in row.keys() - given} == {
            key: row[key] for key in row.keys() - given
        }
        assert (row["minutes"], row["ALL_WORDS"]) == (round(9 * 1.5 / 60, 2), 18)
    judged = json.loads((folder / "sweep_significance.json").read_text())
    assert [(one["target_minutes"], one["unit"], one["seeds"]) for one in judged] == [
        ("all", "phones", 2),
        ("all", "words", 2),
    ]
    text = (folder / "SWEEP.md").read_text()
    assert text.startswith("# Sweep of tiny over target_minutes\n\n2 of 4 points")
    assert "| all (0 min)" in text and "- commit: " in text
    assert ET.parse(folder / "sweep.svg").getroot().tag.endswith("svg")

    times = {name: (folder / name).stat().st_mtime_ns for name in FILES}
    text = run(*options, "--dry-run").stderr
    assert "4 points, 2 of them done." in text and f"{POINTS[2]} is done." in text
    options[options.index("target_minutes=all,0")] = "target_minutes=all"
    text = run(*options).stderr
    assert "2 points, 2 of them done." in text and "begins" not in text
    assert {name: (folder / name).stat().st_mtime_ns for name in FILES} == times
    bytes_before = {name: (folder / name).read_bytes() for name in FILES if name != "SWEEP.md"}
    (folder / "sweep.json").unlink()
    run(*options)
    assert {name: (folder / name).read_bytes() for name in bytes_before} == bytes_before
