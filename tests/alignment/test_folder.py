"""The command `align` on a folder of recordings with their text, without torch."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundle_files import WITHOUT, trained
from support import ROOT, SMALL

from cascade.bundle.reader import opened
from cascade.export.pack import pack

MORE = ("phonemizer", "espeakng_loader", "icu4py")  # that this command does without
CODE = WITHOUT.replace("in (", f"in (*{MORE}, ")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle of an untrained network; `raw` and `read` are made here, once for all tests."""
    import copy
    import json as parser

    from cascade.config.recipe import read_recipe

    folder = tmp_path_factory.mktemp("bundle")

    def read(raw):
        (folder / "recipe.json").write_text(parser.dumps(raw))
        return read_recipe(folder / "recipe.json")

    experiment = trained(folder, copy.deepcopy(SMALL), read)
    pack(experiment, "plain")
    return experiment.layout.bundle_zip("plain")


@pytest.fixture
def speech(tmp_path, wav) -> Path:
    """Two speakers' recordings with their text beside them."""
    folder = tmp_path / "my speech"
    for seed, (name, text) in enumerate(
        {"anna/1": "Кот, сок!", "anna/2": "атта", "boris/1": "кот кот"}.items()
    ):
        wav(folder / f"{name}.wav", 1.0 + seed, seed=seed)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def run(*options: object, expect: int = 0, code: str = CODE) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-c", code, "align", "--nj", "1", *map(str, options)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},  # as under de_DE.UTF-8
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def table(out: Path) -> dict[str, list[str]]:
    lines = (out / "utterances.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["utterance", "recording", "seconds", "score", "result"]
    return {line.split("\t")[0]: line.split("\t")[1:] for line in lines[1:]}


def test_every_word_and_phone_gets_its_times(bundle, speech):
    before = {path: path.read_bytes() for path in speech.rglob("*") if path.is_file()}
    done = run("--bundle", bundle, speech, "--formats", "textgrid,ctm,json", "--min-score", "-99")
    out = speech.with_name("my speech_aligned")
    assert done.stdout == f"Aligned 3 of 3 utterances into {out}.\n"
    rows = [json.loads(line) for line in (out / "alignments.jsonl").open(encoding="utf-8")]
    assert [row["recording"] for row in rows] == ["anna/1", "anna/2", "boris/1"]
    words = {row["recording"]: [word["word"] for word in row["words"]] for row in rows}
    assert words == {"anna/1": ["кот", "сок"], "anna/2": ["атта"], "boris/1": ["кот", "кот"]}
    for row in rows:
        at = row["begin"]
        for word in row["words"]:
            phones = word["phones"]
            assert (word["begin"], word["end"]) == (phones[0]["begin"], phones[-1]["end"])
            for phone in phones:
                assert at <= phone["begin"] < phone["end"] <= row["end"]
                at = phone["end"]
        assert "".join(p["phone"] for p in row["words"][0]["phones"]) in ("kot", "kat", "atta")
    for name, seconds in {"anna/1": 1, "anna/2": 2, "boris/1": 3}.items():
        grid = (out / f"{name}.TextGrid").read_text(encoding="utf-8")
        assert f"\nxmax = {seconds}\n" in grid and 'text = "' + words[name][0] in grid
    assert len((out / "words.ctm").read_text().splitlines()) == 5
    assert len((out / "phones.ctm").read_text().splitlines()) == 6 + 4 + 6
    assert [row[-1] for row in table(out).values()] == ["fits"] * 3
    assert {path: path.read_bytes() for path in before} == before
    again = run("--bundle", bundle, speech, expect=1)
    assert f"{out}/utterances.tsv exists already." in again.stderr
    results = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    run("--bundle", bundle, speech, "--force", "--formats", "textgrid,ctm,json", "--nj", "2")
    scored = {path for path in results if path.suffix in (".TextGrid", ".ctm")}
    assert len(scored) == 5 and all(path.read_bytes() == results[path] for path in scored)


def test_results_beside_the_recordings(bundle, speech):
    (speech / "boris" / "1.TextGrid").write_text("by hand")
    done = run("--bundle", bundle, speech, "--out", speech, expect=1)
    assert f"{speech}/boris/1.TextGrid exists already." in done.stderr
    assert (speech / "boris" / "1.TextGrid").read_text() == "by hand"
    (speech / "boris" / "1.TextGrid").unlink()
    run("--bundle", bundle, speech, "--out", speech)
    assert (speech / "anna" / "1.TextGrid").exists()


def test_what_does_not_fit_or_cannot_be_read_is_named(bundle, speech, wav):
    wav(speech / "anna" / "3.wav", 0.3)
    (speech / "anna" / "3.txt").write_text("кот кот кот кот кот", encoding="utf-8")
    wav(speech / "anna" / "4.wav", 1.0)
    (speech / "anna" / "4.txt").write_text("yes", encoding="utf-8")
    wav(speech / "anna" / "5.wav", 1.0)
    done = run("--bundle", bundle, speech, "--min-score", "0")
    rows = table(speech.with_name("my speech_aligned"))
    assert "Aligned 3 of 6 utterances" in done.stdout
    assert "3 do not fit their text (score below 0), the worst first:" in done.stdout
    assert rows["anna-1"][-1] == "does not fit its text" and float(rows["anna-1"][2]) < 0
    assert rows["anna-3"][-1].startswith("left out: its text does not fit: no path")
    assert "letters that the language does not have in 'yes'" in rows["anna-4"][-1]
    assert "there is no 5.txt beside" in rows["anna-5"][-1]


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_nothing_is_written_beside_recordings_elsewhere(bundle, wav, tmp_path, options):
    wav(tmp_path / "wav" / "a.wav", 1.0)
    wav(tmp_path / "lists" / "b.wav", 2.0, seed=1)
    (tmp_path / "wav" / "a.TextGrid").write_text("by hand")
    table_file = tmp_path / "lists" / "table.tsv"
    lines = [
        ("path", "text", "start", "end"),
        ("../wav/a.wav", "кот", "", ""),
        ("b.wav", "кот", "0", "0.9"),
        ("../lists/b.wav", "сок", "1", "1.9"),  # the same recording
    ]
    table_file.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    run("--bundle", bundle, table_file, "--out", out, *options)
    after = [path for path in tmp_path.rglob("*") if path.is_file() and out not in path.parents]
    assert {path: path.read_bytes() for path in after} == before
    assert sorted(p.name for p in out.iterdir()) == ["a.TextGrid", "b.TextGrid", "utterances.tsv"]
    grid = (out / "b.TextGrid").read_text(encoding="utf-8")
    assert '"кот"' in grid and '"сок"' in grid


def test_recordings_with_one_id_are_not_dropped_silently(bundle, wav, tmp_path):
    speech = tmp_path / "speech"
    for seed, name in enumerate(("a b", "a_b", "day-1/c", "day/1-c")):
        wav(speech / f"{name}.wav", 1.0, seed=seed)
        (speech / f"{name}.txt").write_text("кот", encoding="utf-8")
    done = run("--bundle", bundle, speech)
    assert "Aligned 2 of 4 utterances" in done.stdout and "2 are left out:" in done.stdout
    for name in ("a_b", "day-1-c"):
        assert f"  {name}: another utterance has this id\n" in done.stdout + "\n"
    lines = (speech.with_name("speech_aligned") / "utterances.tsv").read_text().splitlines()
    assert sum(line.endswith("\tleft out: another utterance has this id") for line in lines) == 2
    assert len(lines) == 1 + 4


def test_a_recording_is_aligned_if_another_of_its_id_is_left_out(bundle, wav, tmp_path):
    speech = tmp_path / "speech"
    for seed, name in enumerate(("a b", "a_b")):
        wav(speech / f"{name}.wav", 1.0, seed=seed)
    (speech / "a_b.txt").write_text("кот", encoding="utf-8")
    done = run("--bundle", bundle, speech, "--min-score", "-99")
    assert "Aligned 1 of 2 utterances" in done.stdout and "there is no a b.txt" in done.stdout


def test_parts_that_share_an_utterance(bundle, wav, tmp_path):
    release = tmp_path / "ru"
    wav(release / "clips" / "a.wav", 1.0)
    rows = "client_id\tpath\tsentence\nanna\ta.wav\tкот\n"
    for part in ("train", "test"):
        (release / f"{part}.tsv").write_text(rows, encoding="utf-8")
    done = run("--bundle", bundle, release, "--min-score", "-99")
    assert done.stdout == f"Aligned 1 of 1 utterances into {release}_aligned.\n"


def test_a_name_that_is_not_utf8_is_left_out(bundle, speech):
    for name in ("boris", "anna"):
        for suffix in (".wav", ".txt"):
            file = (speech / name / "1").with_suffix(suffix)
            os.rename(file, os.fsencode(file.parent) + b"/\xe0" + suffix.encode())
    os.remove(os.fsencode(speech / "boris") + b"/\xe0.txt")
    done = run("--bundle", bundle, speech, "--formats", "textgrid,ctm,json")
    out = speech.with_name("my speech_aligned")
    rows = table(out)
    assert "Aligned 1 of 3 utterances" in done.stdout
    assert rows["anna-\\udce0"][-1] == "left out: its name is not UTF-8: rename it"
    assert rows["boris-\\udce0"][-1].startswith("left out: there is no \\udce0.txt beside")
    assert [path.name for path in out.rglob("*.TextGrid")] == ["2.TextGrid"]


def test_words_that_the_lexicon_lacks(bundle, speech, tmp_path):
    (speech / "anna" / "1.txt").write_text("тот кот", encoding="utf-8")
    done = run("--bundle", bundle, speech, expect=1)
    assert "the bundle's lexicon lacks тот (1 in all), and espeak-ng is not" in done.stderr
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("тот t o t\nкот k o s\n", encoding="utf-8")
    run("--bundle", bundle, speech, "--lexicon", lexicon, "--formats", "json")
    out = speech.with_name("my speech_aligned")
    row = json.loads((out / "alignments.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [[p["phone"] for p in word["phones"]] for word in row["words"]] == [[*"tot"], [*"kos"]]
    lexicon.write_text("тот t θ t\n", encoding="utf-8")
    done = run("--bundle", bundle, speech, "--lexicon", lexicon, "--force", expect=1)
    assert "'тот' has the phone 'θ', which the bundle's network does not know" in done.stderr


def test_wrong_options_have_one_sentence(bundle, speech, tmp_path):
    for options, message in {
        ("--formats", "praat"): "Unknown format 'praat'. Known: textgrid, ctm, json.",
        ("--recipe", "mini"): "--bundle excludes --recipe: a bundle has its own.",
        ("--nj", "0"): "--nj must be at least 1.",
        ("--channel", "-1"): "--channel must be at least 0.",
        ("--channel", "3"): "has no utterance that can be used (anna-1:",
        ("--lexicon", tmp_path / "no.txt"): "no.txt cannot be read",
    }.items():
        done = run("--bundle", bundle, speech, *options, expect=1)
        assert message in done.stderr and done.stderr.count("\n") <= 2
    missing = run("--bundle", bundle, tmp_path / "nothing", expect=1).stderr
    assert f"There is no folder {tmp_path}/nothing." in missing


@pytest.mark.parametrize("shape", ["[]", "{", '{"allowed": [99]}', '{"allowed": ["a"]}', "{}"])
def test_a_bundle_with_a_damaged_shape_is_refused(bundle, speech, tmp_path, shape):
    with opened(bundle) as packed:
        folder = shutil.copytree(packed.folder, tmp_path / "bundle")
    (folder / "model.json").write_text(shape)
    raw = json.loads((folder / "bundle.json").read_text())
    digest = hashlib.sha256(shape.encode()).hexdigest()
    raw["files"]["model.json"] = {"size": len(shape), "sha256": digest}
    (folder / "bundle.json").write_text(json.dumps(raw))
    done = run("--bundle", folder, speech, expect=1)
    assert f"{folder} is refused: its model.json " in done.stderr


def test_a_digit_is_named_without_icu(bundle, speech):
    (speech / "anna" / "1.txt").write_text("кот 25", encoding="utf-8")
    run("--bundle", bundle, speech, "--min-score", "-99")
    rows = table(speech.with_name("my speech_aligned"))
    assert rows["anna-1"][-1].endswith("has digits in '25': write numbers as words")


def test_a_folder_without_a_name(bundle):
    done = run("--bundle", bundle, "/", expect=1)
    assert "/ has no name for its results. Give them a folder: --out DIR." in done.stderr
