"""The command as a new user gives it: folders in, a recipe that runs out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import CYRILLIC, ROOT, run

from cascade.config.recipe import read_recipe
from cascade.corpora.detection import CorpusPart
from cascade.drafting.new_recipe import _with_training

RU = ["да", "нет", "дом", "мама", "папа", "вода", "рука", "нога", "стол", "окно"]
EN = ["yes", "no", "home", "water", "hand", "table", "window", "house", "dog", "cat"]


@pytest.fixture
def command(tmp_path):
    """Runs ``new-recipe`` for ``tmp_path/pair``; gives what it did."""

    def command(*options, expect=0, path=None):
        path = path or tmp_path / "pair" / "recipe.yaml"
        done = subprocess.run(
            [sys.executable, "-m", "cascade", "new-recipe", str(path), *map(str, options)],
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return command


@pytest.fixture
def speech(tmp_path, wav):
    """A folder of 20 Russian recordings with a table, and one of English with texts beside."""
    rows = ["path\ttext\tspeaker"]
    for i in range(20):
        wav(tmp_path / "ru" / f"{i}.wav", seconds=1.5, seed=i)
        words = [RU[i % 10], RU[3 * i % 10], RU[(i + i // 10) % 10]]
        rows.append(f"{i}.wav\t{' '.join(words)}!\ts{i % 5}")
        wav(tmp_path / "en" / f"{i}.wav", seconds=1.5, seed=i + 20)
        (tmp_path / "en" / f"{i}.txt").write_text(f"{EN[i % 10]}, {EN[i * 3 % 10]}.\n")
    (tmp_path / "ru" / "table.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def edit(table: Path, old: str, new: str) -> None:
    text = table.read_text(encoding="utf-8")
    assert old in text
    table.write_text(text.replace(old, new), encoding="utf-8")


def test_from_a_folder_to_results_with_nothing_edited(speech, command):
    shown = command("--target", "ru:ru", "--ext", "en:en").stdout
    recipe = speech / "pair" / "recipe.yaml"
    assert "train ru" in shown and "a table: table.tsv has the columns" in shown
    assert "recordings with their texts beside them, such as 0.txt" in shown
    assert "phones  shared" in shown
    assert f"./run.sh --recipe {recipe} --check" in shown
    done = run("--recipe", recipe, "--exp", speech / "exp", "--train.steps", 20, "--nj", 2)
    assert "| plain " in done.stdout and "| cascade " in done.stdout
    pair = read_recipe(recipe)
    assert pair.languages["ru"].letters == CYRILLIC  # as recipes/ru_en has them
    assert pair.languages["ru"].phone_map["y"] == "ɨ"
    assert "set up as in recipes/ru_en" in shown
    assert pair.languages["en"].voice == "en-us"
    assert [d.role for d in pair.datasets] == ["train", "valid", "test", "train_ext"]
    assert {d.split.by for d in pair.datasets[:3]} == {"speaker"}
    # Stage 0 logs the figures of the report.
    for line in shown.splitlines()[1:5]:
        key = "_".join(line.split()[:2])
        utterances = line.split()[4]
        assert f" {key}: {utterances} utterances" in done.stderr


def test_borrowed_voices(speech, command):
    shown = command("--target", "ru:ru", "--ext", "en:en", "--borrowed", 3).stdout
    assert "borrowed voices: stage 0 makes 3 minutes of speech" in shown
    pair = read_recipe(speech / "pair/recipe.yaml")
    assert list(pair.streams_of("deep")) == ["ru", "en", "borrowed"]
    assert list(pair.streams_of("cascade")) == ["ru", "en"]
    refused = command("--target", "ru:ru", "--borrowed", -1, "--force", expect=1).stderr
    assert "--borrowed must not be negative" in refused


def test_the_same_folder_gives_the_same_recipe(speech, command):
    recipe = speech / "pair" / "recipe.yaml"
    command("--target", "ru:ru", "--nj", 1)
    first = recipe.read_bytes()
    command("--target", "ru:ru", "--nj", 3, "--force")
    assert recipe.read_bytes() == first
    assert "cascade: {" not in first.decode()  # one language: only the plain network


def test_a_recipe_that_is_there_is_kept(speech, command):
    recipe = speech / "pair" / "recipe.yaml"
    recipe.parent.mkdir()
    recipe.write_text("mine")
    refused = command("--target", "ru:ru", expect=1)
    assert "pair/recipe.yaml exists already" in refused.stderr and "--force" in refused.stderr
    assert recipe.read_text() == "mine"


def test_what_is_left_out_is_reported_and_allowed(speech, command):
    edit(speech / "ru/table.tsv", "\n3.wav\tмама", "\n3.wav\tmama")
    edit(speech / "ru/table.tsv", "\n7.wav\tнога", "\n7.wav\t12%")
    (speech / "ru/11.wav").unlink()
    shown = command("--target", "ru:ru").stdout
    assert "left out 1, as 3: the transcript has letters that the language does not have" in shown
    assert "left out 1, as 7: the transcript has digits in '12'" in shown
    assert "11.wav is missing" in shown
    assert "not taken, because of another script: a in 1, m in 1" in shown
    pair = read_recipe(speech / "pair/recipe.yaml")
    assert pair.languages["ru"].letters == CYRILLIC
    assert 0.15 < pair.limits.excluded_share <= 0.52
    run("--recipe", speech / "pair/recipe.yaml", "--exp", speech / "exp", "--check")


def test_letters_of_a_language_that_no_recipe_has(speech, command):
    table = speech / "ru/table.tsv"
    head, *_ = table.read_text(encoding="utf-8").splitlines()
    rows = [f"{i}.wav\tŁódź, wąż\ts{i % 5}" for i in range(20)]
    table.write_text("\n".join([head, *rows]), encoding="utf-8")
    shown = command("--target", "pl:ru").stdout
    polish = read_recipe(speech / "pair/recipe.yaml").languages["pl"]
    assert (polish.letters, polish.voice, polish.phone_map) == ("dwóąłźż", "pl", {})
    assert "espeak-ng's voice 'pl'" in shown


def test_phones_are_renamed_only_beside_the_language_they_are_renamed_for(speech, command):
    command("--target", "ru:ru", "--ext", "pt:en")
    recipe = speech / "pair/recipe.yaml"
    ru = read_recipe(recipe).languages["ru"]
    assert (ru.letters, ru.fold, ru.phone_map, ru.lexicon) == (CYRILLIC, {}, {}, None)
    assert "    # phone_map: {ɭ: l, " in recipe.read_text(encoding="utf-8")


def test_texts_come_from_a_recipe_with_the_same_target(speech, command):
    """English is a second language of the main recipe, which has no texts for it."""
    shown = command("--target", "en:en").stdout
    assert "set up as in recipes/games_cs" in shown
    assert "# texts: [texts_en]" in (speech / "pair/recipe.yaml").read_text(encoding="utf-8")


def test_one_speaker_is_split_by_utterance(speech, command):
    for i in range(5):
        edit(speech / "ru/table.tsv", f"\ts{i}\n", "\tanna\n")
    shown = command("--target", "ru:ru").stdout
    assert (
        "valid and test: split by utterance, because there is only one speaker: the training has"
        in shown
    )
    pair = read_recipe(speech / "pair/recipe.yaml")
    assert {d.split.by for d in pair.datasets} == {"utterance"}


def test_warnings(speech, command, wav):
    wav(speech / "ru/2.wav", seconds=41)
    shown = command("--target", "ru:ru", "--ext", "en:en", "--force").stdout
    assert "minutes to train on: the figures will be unreliable" in shown
    assert "left out 1, as longer than limits.max_seconds, 40 s" in shown
    assert "test ru has" in shown


def test_telephone_speech_keeps_its_rate(speech, command, wav):
    for i in range(20):
        wav(speech / "ru" / f"{i}.wav", seconds=1.5, rate=8000, seed=i)
    assert "8000 Hz (20); resampled to 8000 Hz" in command("--target", "ru:ru").stdout
    assert read_recipe(speech / "pair/recipe.yaml").features.rate == 8000


def test_own_parts_are_kept_and_missing_ones_split_off(tmp_path, command, listed):
    for part, count in (("train", 12), ("dev", 8)):
        folder = listed(part, [f"{RU[i % 10]} {RU[i * 7 % 10]}" for i in range(count)], 1.5)
        folder.rename(tmp_path / "ru" / part) if (tmp_path / "ru").is_dir() else None
        if folder.is_dir():
            (tmp_path / "ru").mkdir()
            folder.rename(tmp_path / "ru" / part)
    command("--target", "ru:ru")
    raw = yaml.safe_load((tmp_path / "pair/recipe.yaml").read_text(encoding="utf-8"))
    parts = [
        (d["role"], Path(d["path"]).name, d.get("split", {}).get("between"))
        for d in raw["datasets"]
    ]
    assert parts == [
        ("train", "train", None),
        ("valid", "dev", [0, 50]),
        ("test", "dev", [50, 100]),
    ]


def test_librispeech_without_a_test_divides_dev_by_speaker(tmp_path, command, wav):
    for part, speakers in (("train-clean-5", (1, 2)), ("dev-clean-2", (3, 4, 5))):
        for speaker in speakers:
            folder = tmp_path / "LibriSpeech" / part / str(speaker) / "7"
            names = [f"{speaker}-7-{n:04d}" for n in range(4)]
            for n, name in enumerate(names):
                wav(folder / f"{name}.flac", seconds=1.5, seed=10 * speaker + n)
            lines = [f"{name} {EN[n]} {EN[speaker]}\n".upper() for n, name in enumerate(names)]
            (folder / f"{speaker}-7.trans.txt").write_text("".join(lines))
    command("--target", "en:LibriSpeech")
    recipe = tmp_path / "pair/recipe.yaml"
    parts = [(d.role, d.part, d.split and d.split.by) for d in read_recipe(recipe).datasets]
    assert parts == [
        ("train", "train-clean-5", None),
        ("valid", "dev-clean-2", "speaker"),
        ("test", "dev-clean-2", "speaker"),
    ]
    done = run("--recipe", recipe, "--exp", tmp_path / "exp", "--check")
    counts = re.findall(r"(\w+)_en: (\d+) utterances, .* (\d+) speakers?", done.stderr)
    assert {role: int(n) for role, n, _ in counts}["train"] == 8
    assert sum(int(n) for _, n, _ in counts) == 20 and sum(int(s) for *_, s in counts) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "ru"], "'ru' must be LANG:FOLDER"),
        (["--target", "ru:"], "'ru:' must be LANG:FOLDER"),
        (["--target", "ru:nowhere"], "There is no folder nowhere."),
        (["--target", "rus:ru"], "espeak-ng has no language 'rus'. Similar: ru (Russian)"),
        (["--target", "ru:ru", "--ext", "ru:en"], "--ext must not name the target language, 'ru'"),
        (["--target", "ru:empty"], "empty is empty."),
        (
            ["--target", "ru:mute"],
            "2 recordings, such as a.wav, but no transcripts of a known form",
        ),
        (["--target", "ru:ru", "--bogus", "1"], "Unknown option '--bogus'."),
    ],
)
def test_refusals(speech, command, wav, options, message):
    (speech / "empty").mkdir()
    wav(speech / "mute/a.wav")
    wav(speech / "mute/b.wav")
    refused = command(*options, expect=1)
    assert refused.stderr.splitlines()[-1].startswith("cascade: ") and message in refused.stderr
    assert not (speech / "pair").exists()


def test_nothing_usable(speech, command):
    table = speech / "ru/table.tsv"
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([head, *(f"{i}.wav\t{i}%\ts" for i in range(20))]) + "\n")
    assert (
        "ru has no usable utterance (left out: 20 as 0: "
        in command("--target", "ru:ru", expect=1).stderr
    )
    table.write_text("\n".join([head, *rows[:2]]) + "\n", encoding="utf-8")
    few = "has 2 usable utterances. Training, validation and test need at least 3."
    assert few in command("--target", "ru:ru", expect=1).stderr
    unusable = [f"{i}.wav\t{i}%\ts" for i in range(100, 120)]
    table.write_text("\n".join([head, *rows[:2], *unusable]) + "\n", encoding="utf-8")
    assert (
        "2 usable utterances (left out: 20 as 100: "
        in command("--target", "ru:ru", expect=1).stderr
    )


def test_a_recipe_that_is_a_file_of_its_own_is_named_by_it(speech, command):
    path = speech / "my work" / "pair.yaml"
    command("--target", "ru:ru", path=path)
    assert read_recipe(path).name == "pair" and str(path) in path.read_text(encoding="utf-8")
    refused = command("--target", "ru:ru", expect=1, path=speech / "pair(1).yaml")
    assert "'pair(1)' is not a valid name" in refused.stderr


def test_a_bad_name(speech, command):
    path = speech / "a name" / "recipe.yaml"
    refused = command("--target", "ru:ru", expect=1, path=path)
    assert "'a name' is not a valid name" in refused.stderr and not path.parent.exists()


def test_texts_and_speech_without_transcripts(speech, command, wav):
    (speech / "mine.txt").write_text("да нет\n", encoding="utf-8")
    wav(speech / "more" / "a.wav", seconds=2.0)
    (speech / "more" / "a.txt").write_text("nobody reads this: 42", encoding="utf-8")
    wav(speech / "more" / "b.wav", seconds=1.0)
    options = ["--target", "ru:ru", "--texts", "mine.txt", "--untranscribed", "more"]
    shown = command(*options).stdout
    (row,) = (line.split() for line in shown.splitlines() if line.startswith("train_untranscribed"))
    assert row[:5] == ["train_untranscribed", "ru", "more", "0.05", "2"]
    recipe = read_recipe(speech / "pair" / "recipe.yaml")
    assert recipe.languages["ru"].texts[-1] == str(speech / "mine.txt")
    assert recipe.role("train_untranscribed")[0].path == str(speech / "more")
    (speech / "latin.txt").write_bytes("ё".encode("cp1251"))
    (speech / "empty.txt").touch()
    for name, fault in {
        "none.txt": "cannot be read: No such file or directory.",
        "latin.txt": "is not UTF-8. Convert it",
        "empty.txt": "has no words.",
    }.items():
        refused = command("--target", "ru:ru", "--texts", name, "--force", expect=1)
        assert f"--texts: {name} {fault}" in refused.stderr


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["train", "test"], ["train", "test"]),
        (["valid", "valid", "test"], ["train", "train", "test"]),
        (["test"], ["train"]),
    ],
)
def test_test_parts_stay_test_parts(roles, expected):
    parts = [CorpusPart(role, "ru", "mls", None, f"part{i}") for i, role in enumerate(roles)]
    assert [part.role for part in _with_training(parts)] == expected
