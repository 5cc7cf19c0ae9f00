"""The files of a score, and that sclite counts what they contain in the same way."""

import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import random_texts

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text_table
from cascade.scoring.details import write_details
from cascade.scoring.score import score, score_files
from local.helpers.sctk import installed

TEXT = st.dictionaries(
    st.text("uv12", min_size=1, max_size=4), st.lists(st.sampled_from("abc"), max_size=12)
)


@settings(deadline=None, max_examples=30)  # it writes files
@given(TEXT, st.data())
def test_sums_add_up(ref, data):
    hyp = {u: data.draw(st.lists(st.sampled_from("abcd"), max_size=12)) for u in ref}
    speakers = {u: data.draw(st.sampled_from(["ann", "bob", "eve-e"])) for u in ref}
    result = score(ref, hyp)
    with tempfile.TemporaryDirectory() as folder:
        write_details(Path(folder) / "s", result, result, speakers)
        files = {p.name: p.read_text(encoding="utf-8") for p in (Path(folder) / "s").iterdir()}
    correct = result.total - result.terrors
    total = [correct, result.sub, result.ins, result.dele]
    csid = re.findall(r"^(\S+) #csid (\d+) (\d+) (\d+) (\d+)$", files["per_utt"], re.M)
    assert {u: tuple(map(int, counts)) for u, *counts in csid} == result.counts
    assert [sum(int(row[1 + i]) for row in csid) for i in range(4)] == total
    raw = [line.split() for line in files["per_spk"].splitlines() if " raw " in line]
    assert [[sum(int(r[i]) for r in raw[:-1]) for i in range(4, 8)]] == [
        [int(n) for n in raw[-1][4:8]]
    ]
    assert [int(n) for n in raw[-1][4:8]] == total
    times = Counter()
    for line in files["ops"].splitlines():
        times[line.split()[0]] += int(line.split()[3])
    assert [times[o] for o in ("correct", "substitution", "insertion", "deletion")] == total
    confused = [int(line.split()[0]) for line in files["confusions_words"].splitlines()]
    assert sum(confused) == result.sub and confused == sorted(confused, reverse=True)


def planted(folder: Path, **extra):
    words = score(
        {"u2": ["дом", "кот"], "u1": ["a", "b", "c"], "u3": ["d"]},
        {"u1": ["a", "x", "c", "e"], "u2": ["том", "кот"]},
    )
    phones = score(
        {"u1": list("ab"), "u2": list("cab"), "u3": []}, {"u1": ["a"], "u2": list("xab")}
    )
    speakers = {"u1": "ann", "u2": "bob-b", "u3": "ann", "other": "eve"}
    write_details(folder, words, phones, speakers, **extra)
    return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()}


def test_detail_files(tmp_path):
    files = planted(tmp_path / "score_t", extra={"speechbox.log": "log\n"})
    assert files["speechbox.log"] == "log\n"
    assert files["wer"] == (
        "%WER 66.67 [ 4 / 6, 1 ins, 1 del, 2 sub ] [PARTIAL]\n"
        "%SER 100.00 [ 3 / 3 ]\n"
        "Scored 3 sentences, 1 not present in hyp.\n"
    )
    assert files["per"] == (
        "%PER 40.00 [ 2 / 5, 0 ins, 1 del, 1 sub ] [PARTIAL]\n"
        "%SER 66.67 [ 2 / 3 ]\n"
        "Scored 3 sentences, 1 not present in hyp.\n"
    )
    assert files["per_utt"] == (
        "u1 ref  a  b  c  ***\n"
        "u1 hyp  a  x  c   e \n"
        "u1 op   C  S  C   I \n"
        "u1 #csid 2 1 1 0\n"
        "u2 ref  дом  кот\n"
        "u2 hyp  том  кот\n"
        "u2 op    S    C \n"
        "u2 #csid 1 1 0 0\n"
        "u3 ref   d \n"
        "u3 hyp  ***\n"
        "u3 op    D \n"
        "u3 #csid 0 0 0 1\n"
    )
    assert files["confusions_words"] == "1 b x\n1 дом том\n"
    assert files["ops"].splitlines()[-3:] == [
        "insertion     ***      e    1",
        "substitution    b      x    1",
        "substitution  дом    том    1",
    ]
    assert files["ref.trn"] == "a b c (ann-u1)\nдом кот (bob_b-u2)\nd (ann-u3)\n"
    assert files["hyp.trn"] == "a x c e (ann-u1)\nтом кот (bob_b-u2)\n(ann-u3)\n"
    assert files["ref_phones.trn"].endswith("\n(ann-u3)\n")
    assert "hyp_phones.trn" in files and "per_utt_phones" in files


def test_speakers_add_up(tmp_path):
    lines = planted(tmp_path / "score_t")["per_spk"].splitlines()
    assert [line.split()[0] for line in lines] == [
        "SPEAKER",
        *["ann"] * 2,
        *["bob-b"] * 2,
        *["SUM"] * 2,
    ]
    assert lines[1].split()[2:] == ["2", "4", "2", "1", "1", "1", "3", "2"]
    assert lines[5].split()[2:] == ["3", "6", "3", "2", "1", "1", "4", "3"]
    assert lines[6].split()[2:] == ["3", "6", "50.00", "33.33", "16.67", "16.67", "66.67", "100.00"]


def test_confusions_are_sorted_by_number_then_letters(tmp_path):
    result = score({"u": list("bbaac")}, {"u": list("xxzyy")})
    write_details(tmp_path / "s", result, result, {"u": "s"})
    text = (tmp_path / "s" / "confusions_words").read_text()
    assert text == "2 b x\n1 a y\n1 a z\n1 c y\n"


def test_details_replace_the_old_ones_and_leave_nothing_else(tmp_path):
    first = planted(tmp_path / "score_t")
    (tmp_path / "score_t" / "stale").touch()
    assert planted(tmp_path / "score_t") == first
    assert [p.name for p in tmp_path.iterdir()] == ["score_t"]


def test_an_utterance_without_speaker_is_named(tmp_path):
    result = score({"u": ["a"]}, {"u": ["a"]})
    with pytest.raises(UserError, match="'u' has no speaker"):
        write_details(tmp_path / "s", result, result, {})
    assert not (tmp_path / "s").exists()


def test_nothing_to_score(tmp_path):
    write_details(tmp_path / "s", score({}, {}), score({}, {}), {})
    assert (tmp_path / "s" / "wer").read_text().startswith("%WER n/a [ 0 / 0, 0 ins")


def test_kaldis_columns(tmp_path):
    """The layout of wer_per_utt_details.pl and wer_per_spk_details.pl, on their own example."""
    words = {letter: f"word-{letter}" for letter in "ABCDEX"}
    result = score({"UTT-A": [words[w] for w in "ABCDE"]}, {"UTT-A": [words[w] for w in "AABDX"]})
    write_details(tmp_path / "s", result, result, {"UTT-A": "A"})
    assert (tmp_path / "s" / "per_utt").read_text() == (
        "UTT-A ref    ***   word-A  word-B  word-C  word-D  word-E\n"
        "UTT-A hyp  word-A  word-A  word-B    ***   word-D  word-X\n"
        "UTT-A op      I       C       C       D       C       S  \n"
        "UTT-A #csid 3 1 1 1\n"
    )
    heads = ("#SENT", "#WORD", "Corr", "Sub", "Ins", "Del", "Err", "S.Err")
    counts, rates = (1, 5, 3, 1, 1, 1, 3, 1), (1, 5, "60.00", *["20.00"] * 3, "60.00", "100.00")
    lines = [("SPEAKER", "id ", heads)]
    lines += [(name, *line) for name in ("A", "SUM") for line in (("raw", counts), ("sys", rates))]
    assert (tmp_path / "s" / "per_spk").read_text() == "".join(
        f"{name:15} {kind}{''.join(f' {cell:>10}' for cell in cells)}\n"
        for name, kind, cells in lines
    )


needs_sclite = pytest.mark.skipif(
    installed() is None, reason="sclite (Debian's sctk) is not installed"
)


def sclites_counts(folder: Path) -> dict[str, tuple[int, ...]]:
    """The correct, substituted, deleted and inserted of each utterance of ``folder``'s trn."""
    command = [installed(), "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "spu_id"]
    command += ["-s", "-e", "utf-8", "-o", "pra", "-O", "."]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    report = (folder / "hyp.trn.pra").read_text(encoding="utf-8")
    blocks = re.findall(r"^id: \((.*)\)\nScores: \(#C #S #D #I\) (.*)$", report, re.M)
    return {name.partition("-")[2]: tuple(map(int, counts.split())) for name, counts in blocks}


@needs_sclite
@pytest.mark.parametrize("kind", ["words", "phones"])
def test_the_same_counts_as_sclite(tmp_path, kind):
    ref, hyp = random_texts(2000, seed=1, phones=kind == "phones")
    write_text_table(tmp_path / "ref", ref)
    write_text_table(tmp_path / "hyp", hyp)
    result = score_files(tmp_path / "ref", tmp_path / "hyp")
    write_details(tmp_path / "s", result, result, {u: u.rpartition("-")[0] for u in ref})
    ours = {u.lower(): (c, s, d, i) for u, (c, s, i, d) in result.counts.items()}
    assert sclites_counts(tmp_path / "s") == ours


@needs_sclite
@pytest.mark.parametrize("phone", ["@", "{", "}", "2;", ";;", "(", "a)", "{:", "/", "\\"])
def test_xsampa_and_brackets_are_not_read_as_sclites_own(tmp_path, phone):
    result = score({"clip_(1)": [phone, "k", "t"]}, {"clip_(1)": ["k", "t", phone]})
    write_details(tmp_path / "s", result, result, {"clip_(1)": "s(1)"})
    assert list(sclites_counts(tmp_path / "s").values()) == [(2, 0, 1, 1)]
