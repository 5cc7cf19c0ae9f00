"""run.sh on recipes/mini: all stages once, then what users do with it."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import kaldiio
import numpy as np
import pytest
import safetensors.torch
from support import ROOT, run

from cascade.report.differences import p_cell, reduction_cell
from cascade.scoring.counts import read_counts

LOG_LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] SpeechBox: INFO: (.+)")


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    files = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    assert files
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_results(mini):
    results = json.loads((mini / "results.json").read_text())
    assert (results["recipe"], results["seed"]) == ("mini", 0)
    test = results["tests"]["festvox_ru"]
    assert test["files"] == 62
    for system, layers in (("plain", "4"), ("cascade", "2+2")):
        figures = test["systems"][system]
        assert (figures["layers"], figures["neurons"]) == (layers, 100)
        assert figures["PER"] == round(100 * figures["PH_ERRORS"] / figures["ALL_PHONES"], 4)
        assert figures["TERRORS"] <= figures["ERRORS"]
        assert figures["PER"] < 80, "the network has left the blanks"
        assert figures["memory_mb"] > 100
    reference = (mini / "lang/text/test_ru.words").read_text().splitlines()
    words = sum(len(line.split()) - 1 for line in reference)
    assert test["systems"]["plain"]["ALL_WORDS"] == words
    assert (mini / "RESULTS.md").read_text().count("| Wer/Werc") == 1


def test_what_the_comparison_leaves(mini):
    test = json.loads((mini / "results.json").read_text())["tests"]["festvox_ru"]
    report = (mini / "RESULTS.md").read_text()
    assert len(test["verdicts"]) == 4
    for sentence in test["verdicts"]:
        assert "between cascade and plain" in sentence or "than plain" in sentence
    assert "**Does training with other languages help?**\n\n- festvox_ru (1 training" in report
    row = next(line for line in report.splitlines() if line.startswith("| festvox_ru "))
    details = (mini / "DETAILS.md").read_text()
    for unit, key in (("words", "ERRORS"), ("phones", "PH_ERRORS")):
        pair = test["significance"][unit]["pairs"][0]
        before, after = (test["systems"][name][key] for name in ("plain", "cascade"))
        assert pair["reduction"] == round(100 * (before - after) / before, 4)
        assert reduction_cell(pair) in row and p_cell(pair) in row
        for system, rate in test["significance"][unit]["rates"].items():
            counts = read_counts(mini / system / "score_festvox_ru" / "counts.tsv")
            assert counts.errors(unit).sum() == test["systems"][system][key]
            assert rate["percent"] == test["systems"][system]["WER" if unit == "words" else "PER"]
            low, high = (f"{end:.1f}" for end in rate["interval"])
            assert f"| {rate['percent']:.1f} ({low} to {high}) " in details
    header, *lines = (mini / "phones_festvox_ru.tsv").read_text().splitlines()
    rows = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    for system in ("plain", "cascade"):
        errors = sum(int(row[f"{system}_{k}"]) for row in rows for k in ("sub", "del", "ins"))
        assert errors == test["systems"][system]["PH_ERRORS"]
    header, *lines = (mini / "changes_festvox_ru.tsv").read_text().splitlines()
    before, after = (test["systems"][name]["PH_ERRORS"] for name in ("plain", "cascade"))
    assert sum(int(line.split("\t")[-1]) for line in lines) == after - before


def test_speechbox_log(mini):
    lines = (mini / "plain/score_festvox_ru/speechbox.log").read_text().splitlines()
    texts = [LOG_LINE.fullmatch(line)[1] for line in lines]
    counts = [text.split("\t")[0] for text in texts[:-1]]
    expected = ["ERRORS", "TERRORS", "ALL WORDS", "PH_ERRORS", "PH_TERRORS", "ALL PHONES"]
    assert counts == expected
    assert re.fullmatch(r"Memory using: \d+ MB; [\d.]+ GB", texts[-1])


def test_anybody_s_lhotse_and_kaldi_read_the_data(mini):
    # A separate process, like a user's, which only has the files.
    code = (
        "import sys; from lhotse import CutSet\n"
        "cuts = CutSet.from_file(sys.argv[1])\n"
        "cut = next(iter(cuts))\n"
        "print(cut.id, cut.load_features().shape[0], cut.load_audio().shape[1])\n"
    )
    command = [sys.executable, "-c", code, str(mini / "feats/train_ru.jsonl.gz")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    name, frames, samples = done.stdout.split()
    matrix = kaldiio.load_scp(str(mini / "feats/train_ru.scp"))[name]
    assert matrix.shape == (int(frames), 40) and matrix.dtype == np.float32
    assert abs(int(samples) / 160 - int(frames)) <= 1
    cuts = mini / "manifests/train_ru.jsonl.gz"
    described = subprocess.run(
        ["lhotse", "cut", "describe", cuts], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "Cuts count:" in described.stdout


def test_cms_init_is_written_with_three_decimals_ten_a_line(mini):
    text = (mini / "feats/cms_init.json").read_text()
    assert len(json.loads(text)) == 40
    lines = [line for line in text.splitlines() if any(c.isdigit() for c in line)]
    assert [len(re.findall(r"-?\d+\.\d{3}\b", line)) for line in lines] == [10] * 4


def test_the_model_has_only_the_path_of_the_target(mini):
    tensors = safetensors.torch.load_file(mini / "cascade/model.safetensors")
    layers = {f"layer{i}" for i in range(1, 5)}
    assert {name.split(".")[0] for name in tensors} == {"norm", *layers, "output"}
    phones = (mini / "lang/phones.txt").read_text()
    assert (mini / "cascade/phones.txt").read_text() == phones
    assert tensors["output.bias"].shape == (len(phones.splitlines()),)


def test_a_second_run_does_nothing_and_needs_no_torch(mini):
    done = run("--recipe", "mini", "--exp", mini.parent)
    assert done.stderr.count("is up to date") == 7
    code = (
        "import sys; from cascade.__main__ import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "assert not {'torch', 'lhotse', 'numpy'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, "run", "--recipe", "mini", "--exp", str(mini.parent)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


def test_figures_do_not_depend_on_nj(mini, copy):
    patterns = ("*/decode_*/*.txt", "*/score_*/wer", "*/score_*/per_utt*", "*/score_*/*.trn")
    before = digests(mini, *patterns)
    for jobs in (1, 5):
        run("--recipe", "mini", "--exp", copy.parent, "--stage", 4, "--nj", jobs, "--force")
        assert digests(copy, *patterns) == before


def test_features_do_not_depend_on_nj(mini, tmp_path):
    options = ("--recipe", "mini", "--exp", tmp_path, "--nj", 1)
    done = run(*options, "--stop-stage", 2, "--force")  # though they are there
    assert done.stderr.count("computed now: it was requested") == 4
    patterns = ("manifests/*", "feats/*", "lang/text/*", "lang/graph.fst")
    assert digests(tmp_path / "mini", *patterns) == digests(mini, *patterns)


def test_planted_hypotheses_give_the_counts_that_were_planted(copy):
    """Reference without every 10th word and every 7th line, with an extra word at each end."""
    reference = (copy / "lang/text/test_ru.words").read_text().splitlines()
    lines, deleted, partial = [], 0, 0
    for number, line in enumerate(reference):
        name, *words = line.split()
        if number % 7 == 3:
            deleted, partial = deleted + len(words), partial + 1
            continue
        kept = [w for place, w in enumerate(words) if place % 10 != 4 or place + 3 > len(words)]
        deleted += len(words) - len(kept)
        lines.append(" ".join([name, *kept, "лишнее"]))
    folder = copy / "plain/decode_festvox_ru"
    (folder / "words.txt").write_text("\n".join(reversed(lines)) + "\n")
    done = run("--recipe", "mini", "--exp", copy.parent, "--stage", 5)
    assert f"{partial} utterances have no hypothesis" in done.stderr
    tests = json.loads((copy / "results.json").read_text())["tests"]
    counts = tests["festvox_ru"]["systems"]["plain"]
    assert counts["TERRORS"] == deleted
    assert counts["ERRORS"] == deleted + len(lines)
    assert "[PARTIAL]" in (copy / "plain/score_festvox_ru/wer").read_text()


def test_an_open_vocabulary(mini, copy):
    """Most words of the test are not in the vocabulary of mini: now they can be spelt."""
    options = ("--recipe", "mini", "--exp", copy.parent, "--systems", "plain")
    options += ("--language_model.open", "true")
    run(*options, "--stage", 1, "--stop-stage", 1)
    run(*options, "--stage", 4)
    before, after = (
        json.loads((folder / "results.json").read_text())["tests"]["festvox_ru"]
        for folder in (mini, copy)
    )
    assert "open" not in before and after["open"]
    assert after["oracle"]["WER"] < before["oracle"]["WER"] - 20
    lexicon = (copy / "lang/lexicon.txt").read_text().splitlines()
    vocabulary = {line.split()[0] for line in lexicon}
    folder = copy / "plain/decode_festvox_ru"
    table = (line.split() for line in (folder / "words.txt").read_text().splitlines())
    decoded = {name: words for name, *words in table}
    spelt = {word for words in decoded.values() for word in words} - vocabulary
    assert spelt and all(re.fullmatch("[а-яё]+", word) for word in spelt)
    timed, best = {name: [] for name in decoded}, {}
    for line in (folder / "words.ctm").read_text().splitlines():
        timed[line.split()[0]].append(line.split()[4])
    for line in (folder / "nbest.tsv").read_text().splitlines()[1:]:
        name, rank, *_, words = line.split("\t")
        best.setdefault(name, []).append(words)
        assert int(rank) == len(best[name])
    assert timed == decoded
    assert {name: words[0].split() for name, words in best.items()} == decoded
    assert all(len(words) == len(set(words)) for words in best.values())


def test_a_doubled_hypothesis_is_refused(copy):
    path = copy / "plain/decode_festvox_ru/words.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[4]]) + "\n")
    done = run("--recipe", "mini", "--exp", copy.parent, "--stage", 5, expect=1)
    assert "appears twice" in done.stderr and lines[4].split()[0] in done.stderr


def test_another_beam_decodes_and_scores_again_and_no_more(mini):
    changed = ("--recipe", "mini", "--exp", mini.parent, "--decode.beam", 8, "--dry-run")
    text = run(*changed).stderr
    assert [f"Stage {n} " in text for n in range(6)] == [True] * 4 + [False] * 2
    assert "Stage 4, plain.search would run: the recipe's decode.beam changed" in text
    assert "Stage 4, plain.decode_festvox_ru would run" in text
    assert "Stage 5, scores would run" in text


def test_a_stage_by_itself_says_that_an_earlier_one_is_stale(mini):
    options = ("--recipe", "mini", "--exp", mini.parent, "--stage", 4, "--dry-run")
    assert "warning" not in run(*options).stderr
    text = run(*options, "--target_minutes", 6).stderr
    warning = "Stage 0 (corpora and cuts) is not up to date: the recipe's target_minutes changed"
    assert warning in text


def test_a_damaged_output_is_made_again(mini):
    path = mini / "plain/decode_festvox_ru/phones.txt"
    good = path.read_bytes()
    path.write_text("nonsense\n")
    done = run("--recipe", "mini", "--exp", mini.parent, "--stage", 4)
    assert f"plain.decode_festvox_ru runs: its output {path} changed" in done.stderr
    assert "cascade.decode_festvox_ru" not in done.stderr
    assert path.read_bytes() == good


def test_missing_inputs_name_the_stages_that_make_them(tmp_path):
    done = run("--recipe", "mini", "--exp", tmp_path, "--stage", 3, expect=1)
    assert "stage 1 and stage 2 make" in done.stderr
    assert "the same command with --stage 0." in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--train.epoch", 2), "unknown key 'epoch' in 'train'; the nearest known one is 'epochs'"),
        (("--beam", 2), "unknown key 'beam'"),
        (("--train.steps", "many"), "'train.steps' must be of type int"),
        (("--stage",), "the option --stage has no value"),
        (("stage", 3), "unknown option 'stage'"),
        (("--stage", 9), "invalid choice"),
        (("--stage", 4, "--stop-stage", 2), "--stop-stage 2 comes before --stage 4"),
        (("--nj", 0), "--nj must be at least 1"),
        (("--systems", "plane"), "unknown system 'plane'; the nearest known one is 'plain'"),
        (("--seeds", 3), "--seeds needs --sweep or --search"),
        (("--sweep", "target_minutes"), "words, such as --sweep target_minutes=5,15,all"),
        (
            ("--sweep", "target_minutes=5", "--check"),
            "--sweep and --search exclude --check",
        ),
        (("--search", "features.cmn=online"), "a search takes only keys of 'train'"),
        (
            ("--search", "train.dropout=0.1", "--sweep", "seed=1"),
            "--sweep and --search exclude each other",
        ),
        (("--search", "train.dropout=0.1", "--stage", 4), "--search ends with stage 3"),
        (("--search", "train.dropout=0.1", "--seeds", 0), "--seeds must be at least 1"),
        (("--folder", "x"), "--exp and --folder exclude each other"),
        (
            ("--recipe", "nobody"),
            "Unknown recipe 'nobody'. Known: commonvoice_ru_en, cs_nl, ",
        ),
        (("--recipe", "nowhere/recipe.yaml"), "There is no recipe at nowhere/recipe.yaml"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path, options, message):
    recipe = () if "--recipe" in options else ("--recipe", "mini")
    command = [str(ROOT / "run.sh"), *recipe, "--exp", str(tmp_path), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode != 0
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "no stage has run"


def test_help_needs_no_environment_and_is_that_of_the_command(tmp_path):
    command = [shutil.copy(ROOT / "run.sh", tmp_path), "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert text.startswith("Usage: ./run.sh ")
    command = [sys.executable, "-m", "cascade", "run", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == text


def test_another_recipe_does_not_go_on_from_the_checkpoint_of_the_old_one(copy):
    tiny = "{cascade: {layers: [1, 1], neurons: 8}}"
    options = ["--recipe", "mini", "--exp", copy.parent, "--systems", tiny, "--stage", 3]
    options += ["--stop-stage", 3, "--train.valid_every", 20, "--train.steps"]
    folder = copy / "cascade"
    run(*options, 40)
    expected = digests(folder, "model.safetensors", "train.jsonl")
    assert len((folder / "train.jsonl").read_text().splitlines()) == 2
    run(*options, 20)
    run(*options, 40)  # not 20 more
    assert digests(folder, "model.safetensors", "train.jsonl") == expected
    done = run(*options, 40, "--force")
    assert "continues at step" not in done.stderr
    assert digests(folder, "model.safetensors", "train.jsonl") == expected


def test_a_training_that_is_stopped_goes_on_to_the_same_model(mini, copy):
    short = ["--recipe", "mini", "--train.steps", "160", "--train.valid_every", "80"]
    short += ["--systems", "{cascade: {layers: [1, 1], neurons: 32}}"]
    stage = ["--stage", "3", "--stop-stage", "3"]
    exps = [copy.parent, copy.parent.parent / "broken"]
    shutil.copytree(copy, exps[1] / "mini")
    for exp in exps:
        shutil.rmtree(exp / "mini/cascade")
    run(*short, *stage, "--exp", exps[0], "--force")

    command = [str(ROOT / "run.sh"), *short, *stage, "--exp", str(exps[1]), "--force"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    line = ""
    while "cascade: step" not in line:
        line = process.stderr.readline()
        assert line, "it ended before it was stopped"
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    output = process.communicate()[1]
    assert process.returncode != 0
    assert "Run the same command, without --force, to continue." in output

    done = run(*short, *stage, "--exp", exps[1])
    assert "continues at step" in done.stderr
    models = [digests(exp / "mini/cascade", "model.safetensors", "train.jsonl") for exp in exps]
    assert models[0] == models[1]


@pytest.mark.parametrize("options", [("-m", "cascade", "phones"), ("-c", "import cascade")])
def test_a_python_without_the_packages_names_path_sh(options):
    command = [sys.executable, "-S", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and "First, in the project's folder: . ./path.sh" in done.stderr
    assert ("Traceback" in done.stderr) == (options[0] == "-c")
