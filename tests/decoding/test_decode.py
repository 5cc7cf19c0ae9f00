import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.decoding.decode import write_nbest
from cascade.decoding.decoder import Decoded
from cascade.decoding.lattice import Hypothesis
from cascade.pipeline import stages


def test_the_list_is_by_rank_with_scores_that_add_up(tmp_path):
    hypotheses = [Hypothesis((1, 2), -3.5, -10.25), Hypothesis((), -1.0, -20.0)]
    decoded = {"u": Decoded("u", [], [], [], ["да", "нет"], hypotheses, [])}
    write_nbest(tmp_path / "nbest.tsv", decoded, ["<eps>", "да", "нет"])
    rows = [line.split("\t") for line in (tmp_path / "nbest.tsv").read_text().splitlines()]
    assert rows == [
        ["utterance", "rank", "score", "graph", "acoustic", "words"],
        ["u", "1", "-13.7500", "-3.5000", "-10.2500", "да нет"],
        ["u", "2", "-21.0000", "-1.0000", "-20.0000", ""],
    ]


def test_no_two_jobs_have_one_name(tmp_path, raw, read):
    layout = Layout(tmp_path / "exp", tmp_path, tmp_path)
    test = next(d for d in raw["datasets"] if d["role"] == "test")
    names = ("search", "phone_search", "b_table", "table", "oracle")
    raw["datasets"] = [d for d in raw["datasets"] if d["role"] != "test"]
    raw["datasets"] += [{**test, "name": name} for name in names]
    raw["systems"] = dict.fromkeys(("a", "a_b", "oracle"), raw["systems"]["plain"])
    jobs = [job.name for job in stages.stage(4, Experiment(read(raw), layout), 1).jobs]
    assert len(jobs) == len(set(jobs)) == 3 * (2 + len(names)) + len(names)


@pytest.mark.parametrize("nbest", [0, 5])
def test_the_search_does_not_depend_on_the_length_of_the_list(tmp_path, raw, read, nbest):
    layout = Layout(tmp_path / "exp", tmp_path, tmp_path)

    def jobs(decode):
        made = stages.stage(4, Experiment(read(raw | {"decode": decode}), layout), 1).jobs
        return {job.name: job for job in made}

    before, after = jobs({}), jobs({"nbest": nbest})
    for name in ("plain.search", "plain.phone_search"):
        assert before[name].settings == after[name].settings
    job = after["plain.decode_table"]
    assert job.settings != before["plain.decode_table"].settings
    written = {path.name for path in job.outputs}
    assert ({"nbest.tsv", "words.ctm"} <= written) == (nbest > 0)
    assert ({"nbest.tsv", "words.ctm"} & written != set()) == (nbest > 0)
