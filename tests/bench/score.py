"""Measures the time of scoring against that of sclite; see score.sh.

The data are 25,670 utterances of 13 words of running Russian text (`local.texts.texts_ru`), in
phones by espeak-ng some 68 an utterance. Substitutions, deletions and insertions are planted as
often as one network made them.

Ours is one process, from start to end; sclite needs two, for words and for phones. Both write
files of the same content: alignments (sclite's `pra`), sums by speaker in numbers and per cent
(`rsum`, `sum`), confusions (`dtl`). Seconds are processor time, user and system, which is
comparable on a busy machine, too.
"""

import argparse
import itertools
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cascade.config.sections import Language
from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.files import read_text_table, write_text_table
from cascade.scoring.details import write_details
from cascade.scoring.score import score_files
from cascade.text import words as text

SPEAKERS = 100
LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
WORDS = 13  # of an utterance
REPORTS = ("sum", "rsum", "pra", "dtl")
PLANTED = {  # of 1,000 tokens: substituted, deleted, followed by an inserted one
    "words": (380, 102, 47),
    "phones": (140, 81, 87),
}


def make(folder: Path, utterances: int, seed: int) -> None:
    """Writes ``ref.UNIT``, ``hyp.UNIT`` and ``speakers``, Kaldi's text files."""
    from cascade.config.recipe import read_recipe
    from cascade.text.lexicon import pronounce
    from local.texts import texts_ru

    draw = random.Random(seed)
    language = read_recipe(Path("recipes/ru_en/recipe.yaml")).languages["ru"]
    request = CorpusRequest(Path("downloads"), Path("data"))
    cut = (text.words_of(line, language) for line in texts_ru.sentences(request))
    sentences = [words for words in cut if words and not text.foreign(words, language.letters)]
    draw.shuffle(sentences)
    running = itertools.cycle(itertools.chain.from_iterable(sentences))
    names = [f"u{i:05d}" for i in range(utterances)]
    words = {name: list(itertools.islice(running, WORDS)) for name in names}
    lexicon = pronounce({word for tokens in words.values() for word in tokens}, language)
    phones = {u: [phone for word in ws for phone in lexicon[word]] for u, ws in words.items()}
    for unit, ref in (("words", words), ("phones", phones)):
        source = list(itertools.chain.from_iterable(ref.values()))  # with their frequencies
        write_text_table(folder / f"ref.{unit}", ref)
        hyp = {u: _spoiled(tokens, source, PLANTED[unit], draw) for u, tokens in ref.items()}
        write_text_table(folder / f"hyp.{unit}", hyp)
    speakers = {u: [f"s{i % SPEAKERS:02d}"] for i, u in enumerate(names)}
    write_text_table(folder / "speakers", speakers)


def _spoiled(
    tokens: Sequence[str],
    source: Sequence[str],
    planted: tuple[int, int, int],
    draw: random.Random,
) -> list[str]:
    sub, dele, ins = planted
    spoiled = []
    for token in tokens:
        fate = draw.randrange(1000)
        if fate < sub:
            spoiled.append(draw.choice(source))
        elif fate >= sub + dele:
            spoiled.append(token)
        if draw.randrange(1000) < ins:
            spoiled.append(draw.choice(source))
    return spoiled


def ours(folder: Path) -> None:
    """Scores the texts of `make` into ``folder/score``, as stage 5 does."""
    normalizer = text.WordNormalizer(Language(LETTERS, "ru", fold={"ё": "е"}))
    words = score_files(folder / "ref.words", folder / "hyp.words", normalizer)
    phones = score_files(folder / "ref.phones", folder / "hyp.phones")
    speakers = {u: fields[0] for u, fields in read_text_table(folder / "speakers").items()}
    write_details(folder / "score", words, phones, speakers)


def theirs(sclite: Path, folder: Path, suffix: str, reports: Sequence[str]) -> list[object]:
    """The command for sclite's reports on the pairs of ``folder/score``."""
    trn = [folder / "score" / f"{side}{suffix}.trn" for side in ("ref", "hyp")]
    command = [sclite, "-r", trn[0], "trn", "-h", trn[1], "trn", "-i", "spu_id", "-s"]
    return [*command, "-e", "utf-8", "-o", *reports, "-O", folder / "sclite", "-n", f"hyp{suffix}"]


def differences(folder: Path, suffix: str) -> int:
    """Counts the utterances whose correct, substituted, deleted or inserted tokens differ."""
    report = (folder / "sclite" / f"hyp{suffix}.pra").read_text(encoding="utf-8")
    counted = re.findall(r"^id: \(.*?-(.*)\)\nScores: \(#C #S #D #I\) (.*)$", report, re.M)
    details = (folder / "score" / f"per_utt{suffix}").read_text(encoding="utf-8")
    counts = re.findall(r"^(\S+) #csid (\d+) (\d+) (\d+) (\d+)$", details, re.M)
    mine = {(u, f"{c} {s} {d} {i}") for u, c, s, i, d in counts}
    return len(mine ^ set(counted))


def timed(command: Sequence[object]) -> tuple[float, float]:
    """Returns the seconds of a command: processor time and wall time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    clock = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--utterances", type=int, default=25670)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)  # the process that is timed
    options = parser.parse_args()
    if options.ours:
        return ours(options.ours)
    from local.helpers.sctk import sclite as sclite_program

    sclite = sclite_program(CorpusRequest(Path("downloads"), Path("data")))
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        make(folder, options.utterances, options.seed)
        (folder / "sclite").mkdir()
        times: dict[str, list[float]] = {}

        def clock(what: str, command: Sequence[object]) -> None:
            processor, wall = timed(command)
            times.setdefault(what, []).append(processor)
            print(f"  {what}: {processor:.2f} s of the processor, {wall:.2f} s", flush=True)

        for number in range(options.rounds):
            print(f"round {number + 1}")
            clock("ours", [sys.executable, __file__, "--ours", folder])
            for suffix, unit in (("", "words"), ("_phones", "phones")):
                clock(f"sclite, {unit}, sums only", theirs(sclite, folder, suffix, ["sum"]))
                clock(f"sclite, {unit}", theirs(sclite, folder, suffix, REPORTS))
        other = sum(differences(folder, suffix) for suffix in ("", "_phones"))
        for rate in ("wer", "per"):
            print((folder / "score" / rate).read_text(encoding="utf-8").splitlines()[0])
    middle = {what: statistics.median(each) for what, each in times.items()}
    complete = middle["sclite, words"] + middle["sclite, phones"]
    sums = middle["sclite, words, sums only"] + middle["sclite, phones, sums only"]
    print(f"sclite: {complete:.1f} s, sums only {sums:.1f} s; counts of {other} utterances differ")
    if other:
        sys.exit("score.py: sclite counts differently")
    print(f"sclite={complete / middle['ours']:.1f} utterances={options.utterances}", end=" ")
    print(f"seconds={middle['ours']:.2f}")


if __name__ == "__main__":
    main()
