import base64
import io
import json
import re
import shutil

import pytest
import soundfile
from scored_files import scored

from cascade.config.experiment import Experiment
from cascade.config.recipe import read_recipe
from cascade.html.build import report, write_report
from cascade.html.headline import all_answers
from cascade.runtime.errors import UserError


def test_an_answer_says_that_the_systems_adapted(experiment):
    results = json.loads((experiment.layout.root / "results.json").read_text(encoding="utf-8"))
    tests = [answer.test for answer in all_answers(results)]
    results["tests"][tests[0]]["adapted"] = {"plain": 1}
    assert [answer.test for answer in all_answers(results)] == [
        f"{tests[0]} (adapted to each speaker)",
        *tests[1:],
    ]


def test_the_first_screen_answers_with_figures(experiment):
    text = report(experiment)
    assert '<h1 id="question">Does training beside English help Russian?</h1>' in text
    answer = re.search(r'<p class="verdict">(.*?)</p>', text, re.S)[1]
    assert re.search(r"\d % fewer phone errors \(95 % interval .* p [<=] 0\.\d+\)", answer)
    assert "<code>both</code>" in answer and "<code>plain</code>" in answer
    assert re.search(r"Trained on \d+ min of Russian \(2 speakers\), beside \d+ min of Engl", text)


def test_errors_of_characters_are_a_choice_where_they_were_counted(experiment):
    path = experiment.layout.root / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    systems = [values for test in results["tests"].values() for values in test["systems"].values()]
    for rate, values in enumerate(systems, 7):
        values["CER"] = rate + 0.125
    path.write_text(json.dumps(results), encoding="utf-8")
    text = report(experiment)
    assert '<option value="characters"' in text
    for rate in range(7, 7 + len(systems)):
        assert re.search(rf"<td>characters</td>\s*<td[^>]*>{rate}.1[23]</td>", text)
    for values in systems:
        del values["CER"]
    path.write_text(json.dumps(results), encoding="utf-8")
    text = report(experiment)
    assert '<option value="words"' in text and '<option value="characters"' not in text


def test_every_section_has_a_link_and_every_chart_a_table(experiment):
    text = report(experiment)
    sections = re.findall(r'<section id="(\w+)" aria-labelledby="([\w-]+)"', text)
    names = ["data", "languages", "training", "phones", "words", "utterances", "confidence"]
    assert [name for name, _ in sections] == [*names, "making"]
    for name, title in sections:
        assert f'<a href="#{name}">' in text and f'id="{title}"' in text
    for figure in re.findall(r'<figure class="chart".*?</figure>', text, re.S):
        assert "<table>" in figure or "quartiles are in the table above" in figure


def test_the_same_figures_give_the_same_bytes(experiment):
    write_report(experiment)
    first = experiment.layout.report.read_bytes()
    write_report(experiment)
    assert experiment.layout.report.read_bytes() == first


def test_the_recipe_beside_it_makes_the_same_report(experiment):
    write_report(experiment)
    again = Experiment(read_recipe(experiment.layout.recipe), experiment.layout)
    assert again.recipe == experiment.recipe
    assert report(again) == experiment.layout.report.read_text(encoding="utf-8")


def test_nothing_of_a_corpus_is_markup(hostile):
    text = report(hostile)
    scripts = re.findall(r"<script[^>]*>", text)
    assert text.count("</script>") == len(scripts)
    assert "alert(" not in text.replace("alert(\\u0027", "")  # packed, or in no page at all
    assert "<i>anna" not in text and "<img" not in text


def test_sound_is_opus_of_the_utterance(experiment):
    text = report(experiment)
    sounds = re.findall(r'id="sound-(\d+)">(\w+) (\S+)</script>', text)
    assert len(sounds) == 12 and len(sounds[0][1]) == 300
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[0][2])))
    assert abs(len(samples) / rate - 1.2) < 0.05 and abs(samples).max() > 0.1


def test_recordings_that_are_gone_are_said_to_be(experiment, caplog):
    shutil.rmtree(experiment.layout.data)
    text = report(experiment)
    assert "the report has no sound of test_ru-000" in caplog.text and 'id="sound-' not in text
    assert "The sound of 0 of 12 utterances is in this file" in text


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("results.json", "Run stage 5"),
        ("plain/score_table/per_utt", "Run stage 5 again with --force"),
        ("plain/score_table/counts.tsv", "Run stage 5"),
        ("both/train.jsonl", "Run stage 3 again"),
    ],
)
def test_a_damaged_file_is_named_with_its_stage(experiment, file, stage):
    path = experiment.layout.root / file
    path.write_text("{}\n" if file.endswith("jsonl") else "broken\n")
    with pytest.raises(UserError, match=rf"{path.name}.*{stage}"):
        report(experiment)


def test_a_recipe_of_one_language_asks_how_well_it_is_recognised(small, read):
    raw, layout = small
    del raw["systems"]["both"], raw["languages"]["en"], raw["datasets"][1]
    raw["decode"] = {"nbest": 0}
    text = report(scored(Experiment(read(raw), layout)))
    assert "How well is Russian recognised?" in text
    assert 'id="languages"' not in text and 'id="confidence"' not in text
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', text, re.S)[1])
    assert figures["systems"] == ["plain"] and figures["confidence"] is None
