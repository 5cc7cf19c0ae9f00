import random
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import kaldialign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade.runtime.errors import UserError
from cascade.runtime.files import write_text_table
from cascade.scoring.details import write_details
from cascade.scoring.score import EPS, Score, counts_of, score, score_files
from cascade.scoring.speechbox import Counts
from cascade.text.words import WordNormalizer
from local.helpers.sctk import installed


def of(ref: str, hyp: str) -> Score:
    return score({"u": ref.split()}, {"u": hyp.split()})


@pytest.mark.parametrize(
    ("ref", "hyp", "sub", "dele", "ins"),
    [
        ("a b c", "a b c", 0, 0, 0),
        ("a b c", "a x c", 1, 0, 0),
        ("a b c", "a c", 0, 1, 0),
        ("a b c", "a b x c", 0, 0, 1),
        ("a b c d e f g", "x b d e f y g", 1, 1, 1),
        ("a b c", "", 0, 3, 0),
        ("", "a b", 0, 0, 2),
        ("", "", 0, 0, 0),
        ("a b", "x y z", 2, 0, 1),
        ("a", "a a a", 0, 0, 2),
        # A draw: three substitutions cost as much as two deletions and two insertions.
        ("a b c", "c x y", 3, 0, 0),
        ("a b c d", "d x y z a", 4, 0, 1),
    ],
)
def test_planted_errors(ref, hyp, sub, dele, ins):
    found = of(ref, hyp)
    assert (found.sub, found.dele, found.ins) == (sub, dele, ins)
    assert found.total == len(ref.split())
    assert (found.errors, found.terrors) == (sub + dele + ins, sub + dele)
    assert found.counts["u"] == (found.total - sub - dele, sub, ins, dele)
    assert found.partial == []


def test_pairs_and_operations():
    found = of("a b c d", "a x d e")
    assert found.pairs("u") == [("a", "a"), ("b", EPS), ("c", "x"), ("d", "d"), (EPS, "e")]
    assert found.ops == [
        ("correct", "a", "a", 1),
        ("correct", "d", "d", 1),
        ("deletion", "b", EPS, 1),
        ("insertion", EPS, "e", 1),
        ("substitution", "c", "x", 1),
    ]


def test_a_missing_hypothesis_counts_as_deletions():
    found = score({"u2": ["a", "b"], "u1": ["c"]}, {"u1": ["c"]})
    assert (found.sub, found.dele, found.ins, found.partial) == (0, 2, 0, ["u2"])
    assert list(found.ref) == list(found.hyp) == ["u1", "u2"]


def test_an_empty_hypothesis_is_no_missing_one():
    assert score({"u": ["a"]}, {"u": []}).partial == []


def test_order_does_not_matter():
    ref = {f"u{i}": list("abcde")[i % 3 :] for i in range(20)}
    hyp = {u: ["a", *reversed(tokens)] for u, tokens in ref.items()}
    shuffled = list(hyp.items())
    random.Random(0).shuffle(shuffled)
    one, other = score(ref, dict(shuffled)), score(dict(reversed(ref.items())), hyp)
    assert one == other
    assert [one.pairs(u) for u in ref] == [other.pairs(u) for u in ref]


CYRILLIC = WordNormalizer("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", {"ё": "е"})


def test_one_rule_for_reference_and_hypothesis():
    ref = {"u": ["Ёж", "кто-то", "…", "за́мок", "12", "да"]}
    hyp = {"u": ["еж", "кто", "то", "замок", "12", "ДА!"]}
    found = score(ref, hyp, CYRILLIC)
    assert (found.errors, found.total) == (0, 6)
    assert found.ref["u"] == found.hyp["u"] == ["еж", "кто", "то", "замок", "12", "да"]
    assert score(ref, hyp).errors > 0


@settings(deadline=None)
@given(st.lists(st.lists(st.text("аёАЁ-…1 ́", max_size=4), max_size=5), max_size=5), st.data())
def test_the_rule_before_or_within(texts, data):
    """Scored by a rule, texts count as those that the rule makes of them."""
    ref = {f"u{i}": text for i, text in enumerate(texts)}
    hyp = {u: data.draw(st.permutations(text)) for u, text in ref.items()}
    plain = [
        {u: [w for words in CYRILLIC(text) for w in words] for u, text in side.items()}
        for side in (ref, hyp)
    ]
    assert score(ref, hyp, CYRILLIC) == score(*plain)


def test_a_word_like_the_gap_sign_is_refused():
    with pytest.raises(UserError, match="gap"):
        of("a ***", "a")


TEXT = st.dictionaries(
    st.text("uv12", min_size=1, max_size=4), st.lists(st.sampled_from("abc"), max_size=12)
)


@given(TEXT)
def test_identical_texts_have_no_errors(text):
    found = score(text, text)
    assert (found.errors, found.total) == (0, sum(map(len, text.values())))
    assert all(op == "correct" for op, *_ in found.ops)


@settings(deadline=None)
@given(TEXT, st.data())
def test_what_happens_to_hypotheses(ref, data):
    """Lost, they are deletions; in another order, nothing; doubled, all insertions."""
    hyp = {u: data.draw(st.lists(st.sampled_from("abcd"), max_size=12)) for u in ref}
    found = score(ref, hyp)
    order = data.draw(st.permutations(list(hyp)))
    assert score(ref, {u: hyp[u] for u in order}) == found
    kept = set(data.draw(st.lists(st.sampled_from(order)))) if order else set()
    fewer = score(ref, {u: hyp[u] for u in kept})
    assert fewer.partial == sorted(ref.keys() - kept)
    for u in ref:
        assert fewer.counts[u] == (found.counts[u] if u in kept else (0, 0, 0, len(ref[u])))
    twice = score(ref, {u: [*tokens, *tokens] for u, tokens in ref.items()})
    assert (twice.sub, twice.dele, twice.ins) == (0, 0, twice.total)


@settings(deadline=None, max_examples=30)  # it writes files
@given(TEXT, st.data())
def test_sums_add_up(ref, data):
    hyp = {u: data.draw(st.lists(st.sampled_from("abcd"), max_size=12)) for u in ref}
    speakers = {u: data.draw(st.sampled_from(["ann", "bob", "eve-e"])) for u in ref}
    found = score(ref, hyp)
    with tempfile.TemporaryDirectory() as folder:
        write_details(Path(folder) / "s", found, found, speakers)
        files = {p.name: p.read_text(encoding="utf-8") for p in (Path(folder) / "s").iterdir()}
    correct = found.total - found.terrors
    total = [correct, found.sub, found.ins, found.dele]
    csid = re.findall(r"^(\S+) #csid (\d+) (\d+) (\d+) (\d+)$", files["per_utt"], re.M)
    assert {u: tuple(map(int, counts)) for u, *counts in csid} == found.counts
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
    assert sum(confused) == found.sub and confused == sorted(confused, reverse=True)


@settings(deadline=None)
@given(TEXT, st.data())
def test_against_other_aligners(ref, data):
    hyp = {u: data.draw(st.lists(st.sampled_from("abcd"), max_size=12)) for u in ref}
    found = score(ref, hyp)
    assert found.terrors <= found.total
    ops: Counter = Counter()
    for u in ref:
        correct, sub, ins, dele = found.counts[u]
        pairs = found.pairs(u)
        assert [r for r, _ in pairs if r != EPS] == ref[u]
        assert [h for _, h in pairs if h != EPS] == hyp[u]
        assert correct == sum(r == h for r, h in pairs)
        assert sub == sum(r != h and EPS not in (r, h) for r, h in pairs)
        assert (correct + sub + dele, correct + sub + ins) == (len(ref[u]), len(hyp[u]))
        assert 4 * sub + 3 * (ins + dele) == distance(ref[u], hyp[u], 4, 3)
        theirs = kaldialign.edit_distance(ref[u], hyp[u], sclite_mode=True)
        assert 4 * sub + 3 * (ins + dele) == 4 * theirs["sub"] + 3 * (theirs["ins"] + theirs["del"])
        assert sub + ins + dele >= distance(ref[u], hyp[u], 1, 1)
        ops.update(pairs)
    assert ops == {(r, h): n for _, r, h, n in found.ops}


def distance(ref, hyp, substitution, gap):
    """Levenshtein's, with weights."""
    row = [gap * j for j in range(len(hyp) + 1)]
    for r in ref:
        last, row = row, [row[0] + gap]
        for j, h in enumerate(hyp):
            paired = last[j] + (substitution if r != h else 0)
            row.append(min(paired, last[j + 1] + gap, row[j] + gap))
    return row[-1]


def test_many_lengths_at_once_as_one_by_one():
    """Batches and their padding change nothing."""
    ref, hyp = random_texts(300, seed=3)
    ref["long"], hyp["long"] = ["a", "b"] * 2000, ["b", "c", "a"] * 1200
    together = score(ref, hyp)
    for u in ref:
        assert score({u: ref[u]}, {u: hyp[u]}).pairs(u) == together.pairs(u)


def random_texts(utterances: int, seed: int, phones: bool = False):
    """References of 0 to 70 tokens, and hypotheses with few to very many errors."""
    draw = random.Random(seed)
    words = ["дом", "Дом", "кот", "ёж", "кто-то", "a", "b", "it's"]
    if phones:
        words = [*"abdefijklmnoprstuvxzɕəɡɨɪʃʒ", *(f"{c}ʲ" for c in "blnst"), "ts", "tɕ", "ɕː"]
    ref, hyp = {}, {}
    for i in range(utterances):
        tokens = [draw.choice(words) for _ in range(draw.choice([0, 1, 5, 13, 13, 70]))]
        rate = draw.choice([0.1, 0.3, 0.6, 0.9])
        said = []
        for token in tokens:
            kind = draw.random() / rate
            said += [token] if kind > 0.7 else [draw.choice(words)] if kind > 0.3 else []
            said += [draw.choice(words)] if 0.7 < kind < 1 else []
        u = f"{('ru-anna', 'spk_1', 'x')[i % 3]}-u_{i:05d}"
        ref[u], hyp[u] = tokens, said
    return ref, hyp


def put(tmp_path, ref: str, hyp: str):
    (tmp_path / "ref").write_text(ref, encoding="utf-8")
    (tmp_path / "hyp").write_text(hyp, encoding="utf-8")
    return tmp_path / "ref", tmp_path / "hyp"


def test_files(tmp_path):
    rule = WordNormalizer("abcd", {"a": "b"})
    found = score_files(*put(tmp_path, "u1 a b\nu2 c\nu3 d\n", "u2 c\nu1\n"), rule)
    assert (found.sub, found.dele, found.ins, found.total) == (0, 3, 0, 4)
    assert found.partial == ["u3"]


@pytest.mark.parametrize(
    ("hyp", "said"),
    [
        ("u1 a\nu1 b\n", ["hyp", "line 2", "u1"]),
        ("u1 a\n\nu10 b\n", ["hyp", "line 3", "u10", "ref"]),
    ],
)
def test_doubled_and_superfluous_hypotheses_are_errors(tmp_path, hyp, said):
    with pytest.raises(UserError) as caught:
        score_files(*put(tmp_path, "u1 a\n", hyp))
    assert all(word in str(caught.value) for word in said)


def test_files_that_cannot_be_read(tmp_path):
    ref, hyp = put(tmp_path, "u1 a\n", "")
    hyp.write_bytes(b"u1 \xff\xfe\n")
    with pytest.raises(UserError, match=r"hyp.*UTF-8"):
        score_files(ref, hyp)
    with pytest.raises(UserError, match="none"):
        score_files(ref, tmp_path / "none")


def test_a_hypothesis_without_reference_is_an_error_without_files_too():
    with pytest.raises(UserError, match="'v'"):
        score({"u": []}, {"v": []})


def test_counts_of():
    words, phones = of("a b c", "a x c d"), of("a b c d", "b c d")
    assert counts_of(words, phones, 9) == Counts(2, 1, 3, 1, 1, 4, 9)


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
    found = score({"u": list("bbaac")}, {"u": list("xxzyy")})
    write_details(tmp_path / "s", found, found, {"u": "s"})
    text = (tmp_path / "s" / "confusions_words").read_text()
    assert text == "2 b x\n1 a y\n1 a z\n1 c y\n"


def test_details_replace_the_old_ones_and_leave_nothing_else(tmp_path):
    first = planted(tmp_path / "score_t")
    (tmp_path / "score_t" / "stale").touch()
    assert planted(tmp_path / "score_t") == first
    assert [p.name for p in tmp_path.iterdir()] == ["score_t"]


def test_an_utterance_without_speaker_is_named(tmp_path):
    with pytest.raises(UserError, match="'u'"):
        write_details(tmp_path / "s", of("a", "a"), of("a", "a"), {})
    assert not (tmp_path / "s").exists()


def test_nothing_to_score(tmp_path):
    write_details(tmp_path / "s", score({}, {}), score({}, {}), {})
    assert (tmp_path / "s" / "wer").read_text().startswith("%WER n/a [ 0 / 0, 0 ins")


def test_kaldis_columns(tmp_path):
    """The layout of wer_per_utt_details.pl and wer_per_spk_details.pl, on their own example."""
    words = {letter: f"word-{letter}" for letter in "ABCDEX"}
    found = score({"UTT-A": [words[w] for w in "ABCDE"]}, {"UTT-A": [words[w] for w in "AABDX"]})
    write_details(tmp_path / "s", found, found, {"UTT-A": "A"})
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
    found = score_files(tmp_path / "ref", tmp_path / "hyp")
    write_details(tmp_path / "s", found, found, {u: u.rpartition("-")[0] for u in ref})
    ours = {u.lower(): (c, s, d, i) for u, (c, s, i, d) in found.counts.items()}
    assert sclites_counts(tmp_path / "s") == ours


@needs_sclite
@pytest.mark.parametrize("phone", ["@", "{", "}", "2;", ";;", "(", "a)", "{:", "/", "\\"])
def test_xsampa_and_brackets_are_not_read_as_sclites_own(tmp_path, phone):
    found = score({"clip_(1)": [phone, "k", "t"]}, {"clip_(1)": ["k", "t", phone]})
    write_details(tmp_path / "s", found, found, {"clip_(1)": "s(1)"})
    assert list(sclites_counts(tmp_path / "s").values()) == [(2, 0, 1, 1)]
