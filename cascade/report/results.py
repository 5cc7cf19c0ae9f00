"""The results of a recipe: ``results.json``, the table, and ``RESULTS.md``.

Everything here takes data and gives data or text, but `write`, which writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade.report import training_curves as learning
from cascade.report.comparisons import paragraphs
from cascade.report.environment import section
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_json, write_text
from cascade.runtime.tables import markdown_table
from cascade.scoring.significance import RESAMPLES, SPEAKERS
from cascade.scoring.speechbox import KEYS, Counts, format_pair

COLUMNS = ("system", "layers", "neurons", "cascade", "Wer/Werc", "Per/Perc", "model, KB")

METHOD = f"""\
Intervals and p-values are of a paired bootstrap: {RESAMPLES:,} times utterances are drawn with
replacement, or speakers where a test set has {SPEAKERS} or more, the same for all systems. With one
seed they tell what other utterances would give, not what another training would. Shared
phones are those that the training of another language has, too: `phones_TEST.tsv` has every
phone's errors, `changes_TEST.tsv` every error that went or came. Per/Perc is of greedy phones;
with a phone n-gram, of a search. NCE and AUC tell how far the confidences of words part right from
wrong ones: both are 1 at best; NCE 0 and AUC 0.5 are no better than none.
"""


@dataclass(frozen=True)
class SystemResult:
    """A system on a test set; ``layers`` as the recipe has them, ``model_kb`` in KiB.

    ``share`` is what the languages of a cascade share: ``upper``, ``lower`` or ``all``.
    """

    layers: Sequence[int]
    neurons: int
    cascade: bool
    counts: Counts
    model_kb: int | None = None
    share: str | None = None


@dataclass(frozen=True)
class TestResult:
    """A test set: how many files it has, and what each system made of them.

    ``extra`` holds what else is known of it: ``oov``, the share of its running words that
    the vocabulary lacks, in per cent; ``open``, where they are spelt from pieces;
    ``oracle``, the word error rates that the reference phones give; ``phone_ngram``, by
    system the phone errors of the search with a phone n-gram; ``confidence``, by system how
    good the words' confidences are (see `cascade.scoring.confidence.figures`); and what
    `cascade.report.comparisons.findings` gives.
    """

    __test__ = False  # no test case of pytest's

    files: int
    systems: Mapping[str, SystemResult]
    extra: Mapping[str, Any] = field(default_factory=dict)


def results(
    recipe: str,
    seed: int,
    tests: Mapping[str, TestResult],
    training: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """What ``results.json`` holds; rates are in per cent, rounded to four decimals.

    ``training`` is by system what `cascade.report.training_curves.trained` says of it.

    Raises `UserError` where systems were scored against different references.
    """
    return {
        "recipe": recipe,
        "seed": seed,
        "tests": {name: _test(name, test) for name, test in tests.items()},
        "training": {system: dict(found) for system, found in training.items()},
    }


def table(found: Mapping[str, Any]) -> str:
    """The tables of all test sets, as Markdown that also reads well on a screen.

    ``found`` is what `results` gives, or what ``results.json`` holds.
    """
    return "\n".join(_section(name, test) for name, test in found["tests"].items())


def markdown(found: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    """The text of ``RESULTS.md``; ``environment`` says where the figures come from."""
    return (
        f"# Results of {found['recipe']}\n\n"
        f"Written by stage 5 (seed {found['seed']}). WER and PER count substitutions, deletions "
        "and insertions;\nWERc and PERc leave the insertions out. All in per cent.\n\n"
        f"{METHOD}\n{table(found)}\n{learning.section(found['training'])}\n"
        f"{section(environment)}"
    )


def write(folder: Path, found: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
    """Writes ``results.json`` and ``RESULTS.md`` into ``folder``, each whole or not at all."""
    write_json(folder / "results.json", found)
    write_text(folder / "RESULTS.md", markdown(found, environment))


def _test(name: str, test: TestResult) -> dict[str, Any]:
    for key, attribute in (("words", "all_words"), ("phones", "all_phones")):
        totals = {s: getattr(r.counts, attribute) for s, r in test.systems.items()}
        if len({n for n in totals.values() if n is not None}) > 1:
            each = ", ".join(f"{system} {n}" for system, n in totals.items())
            raise UserError(
                f"The systems were scored on different numbers of reference {key} of "
                f"'{name}' ({each}). Run stages 4 and 5 again with --force."
            )
    taken = {"files", "systems"} & set(test.extra)
    if taken:
        raise ValueError(f"extra keys of test '{name}' hide its own: {sorted(taken)}")
    systems = {system: _system(result) for system, result in test.systems.items()}
    return {"files": test.files, "systems": systems, **test.extra}


def _system(result: SystemResult) -> dict[str, Any]:
    c = result.counts
    rates = {"WER": c.wer, "WERc": c.werc, "PER": c.per, "PERc": c.perc}
    return {
        "layers": "+".join(str(n) for n in result.layers),
        "neurons": result.neurons,
        "cascade": result.cascade,
        "share": result.share,
        **{key.replace(" ", "_"): getattr(c, field) for key, field in KEYS.items()},
        **{key: None if rate is None else round(rate, 4) for key, rate in rates.items()},
        "memory_mb": c.memory_mb,
        "model_kb": result.model_kb,
    }


def _section(name: str, test: Mapping[str, Any]) -> str:
    """A test set's heading, table, line of sizes and what it says of the systems."""
    rows = [COLUMNS, *(_row(system, values) for system, values in test["systems"].items())]
    parts = [f"## {name}", markdown_table(rows), _sizes(test), *_beside(test), *paragraphs(test)]
    return "\n\n".join(parts) + "\n"


def _row(system: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        system,
        values["layers"],
        str(values["neurons"]),
        _sharing(values),
        format_pair(values["WER"], values["WERc"]),
        format_pair(values["PER"], values["PERc"]),
        "n/a" if values["model_kb"] is None else str(values["model_kb"]),
    )


def _sharing(values: Mapping[str, Any]) -> str:
    """``yes`` for a cascade whose upper layers are shared, else what is."""
    if not values["cascade"]:
        return "no"
    return "yes" if values["share"] in (None, "upper") else f"{values['share']} shared"


def _sizes(test: Mapping[str, Any]) -> str:
    """``200 files, 1,234 words, 5,678 phones, OOV 21.3 %.``"""
    parts = [f"{test['files']:,} files"]
    for key in ("ALL_WORDS", "ALL_PHONES"):
        known = [s[key] for s in test["systems"].values() if s[key] is not None]
        if known:
            parts.append(f"{known[0]:,} {key.removeprefix('ALL_').lower()}")
    if test.get("oov") is not None:
        spelt = ", spelt from pieces" if test.get("open") else ""
        parts.append(f"OOV {test['oov']:.1f} %{spelt}")
    told = ", ".join(parts) + "."
    if test.get("oracle"):
        told += f" With every phone right, the same graph makes {test['oracle']['WER']:.1f} % WER."
    return told


def _beside(test: Mapping[str, Any]) -> list[str]:
    """The table of what stands beside WER and PER: the phone n-gram, the confidences."""
    ngram, sure = test.get("phone_ngram", {}), test.get("confidence", {})
    if not ngram and not sure:
        return []
    rows = [("beside these", "Per/Perc with a phone n-gram", "confidence: NCE", "AUC")]
    for system in test["systems"]:
        per, told = ngram.get(system, {}), sure.get(system, {})
        cells = ["n/a" if told.get(k) is None else f"{told[k]:.3f}" for k in ("NCE", "AUC")]
        rows.append((system, format_pair(per.get("PER"), per.get("PERc")), *cells))
    return [markdown_table(rows)]
