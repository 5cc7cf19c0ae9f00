"""The results of a recipe: ``results.json``, the table, and ``RESULTS.md``.

Everything here takes data and gives data or text, but `write`, which writes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade.errors import UserError
from cascade.files import write_text
from cascade.speechbox import KEYS, Counts, format_pair

COLUMNS = ("system", "layers", "neurons", "cascade", "Wer/Werc", "Per/Perc", "model, KB")


@dataclass(frozen=True)
class SystemResult:
    """A system on a test set; ``layers`` as the recipe has them, ``model_kb`` in KiB."""

    layers: Sequence[int]
    neurons: int
    cascade: bool
    counts: Counts
    model_kb: int | None = None


@dataclass(frozen=True)
class TestResult:
    """A test set: how many files it has, and what each system made of them.

    ``extra`` holds what else is known of it, such as ``oov``: the share of its running
    words that the vocabulary lacks, in per cent, and ``oracle``: the word error rates that
    the reference phones give.
    """

    __test__ = False  # no test case of pytest's

    files: int
    systems: Mapping[str, SystemResult]
    extra: Mapping[str, Any] = field(default_factory=dict)


def results(recipe: str, seed: int, tests: Mapping[str, TestResult]) -> dict[str, Any]:
    """What ``results.json`` holds; rates are in per cent, rounded to four decimals.

    Raises `UserError` where systems were scored against different references.
    """
    return {
        "recipe": recipe,
        "seed": seed,
        "tests": {name: _test(name, test) for name, test in tests.items()},
    }


def as_json(found: Mapping[str, Any]) -> str:
    """The text of ``results.json``."""
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def table(found: Mapping[str, Any]) -> str:
    """The tables of all test sets, as Markdown that also reads well on a screen.

    ``found`` is what `results` gives, or what ``results.json`` holds.
    """
    return "\n".join(_section(name, test) for name, test in found["tests"].items())


def markdown(found: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    """The text of ``RESULTS.md``; ``environment`` says where the figures come from."""
    lines = [f"- {key}: {_one_line(value)}\n" for key, value in environment.items()]
    return (
        f"# Results of {found['recipe']}\n\n"
        f"Written by stage 5 (seed {found['seed']}). WER and PER count substitutions, deletions "
        "and insertions;\nWERc and PERc leave the insertions out. All in per cent.\n\n"
        f"{table(found)}\n## Environment\n\n{''.join(lines)}"
    )


def write(folder: Path, found: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
    """Writes ``results.json`` and ``RESULTS.md`` into ``folder``, each whole or not at all."""
    write_text(folder / "results.json", as_json(found))
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
        **{key.replace(" ", "_"): getattr(c, field) for key, field in KEYS.items()},
        **{key: None if rate is None else round(rate, 4) for key, rate in rates.items()},
        "memory_mb": c.memory_mb,
        "model_kb": result.model_kb,
    }


def _section(name: str, test: Mapping[str, Any]) -> str:
    """A test set's heading, table, line of sizes and comparison."""
    systems = test["systems"]
    rows = [COLUMNS, *(_row(system, values) for system, values in systems.items())]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(COLUMNS))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    parts = [f"## {name}", "\n".join(lines), _sizes(test), *_comparisons(systems)]
    return "\n\n".join(parts) + "\n"


def _row(system: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        system,
        values["layers"],
        str(values["neurons"]),
        "yes" if values["cascade"] else "no",
        format_pair(values["WER"], values["WERc"]),
        format_pair(values["PER"], values["PERc"]),
        "n/a" if values["model_kb"] is None else str(values["model_kb"]),
    )


def _sizes(test: Mapping[str, Any]) -> str:
    """``200 files, 1,234 words, 5,678 phones, OOV 21.3 %.``"""
    parts = [f"{test['files']:,} files"]
    for key in ("ALL_WORDS", "ALL_PHONES"):
        known = [s[key] for s in test["systems"].values() if s[key] is not None]
        if known:
            parts.append(f"{known[0]:,} {key.removeprefix('ALL_').lower()}")
    if test.get("oov") is not None:
        parts.append(f"OOV {test['oov']:.1f} %")
    told = ", ".join(parts) + "."
    if test.get("oracle"):
        told += f" With every phone right, the same graph makes {test['oracle']['WER']:.1f} % WER."
    return told


def _comparisons(systems: Mapping[str, Any]) -> list[str]:
    """A sentence for each cascade, where there is one plain system to set it against."""
    plain = [name for name, values in systems.items() if not values["cascade"]]
    if len(plain) != 1:
        return []
    sentences = []
    for name, values in systems.items():
        if not values["cascade"]:
            continue
        changes = [_change(systems[plain[0]]["PER"], values["PER"], "phone errors")]
        changes.append(_change(systems[plain[0]]["WER"], values["WER"], "word errors"))
        told = [change for change in changes if change]
        if told:
            sentences.append(f"{name} against {plain[0]}: {', '.join(told)}.")
    return sentences


def _change(before: float | None, after: float | None, what: str) -> str:
    """``10.7 % fewer phone errors``; empty where there is nothing to compare."""
    if not before or after is None:
        return ""
    percent = round(100 * (after - before) / before, 1)
    if percent == 0:
        return f"as many {what}"
    return f"{abs(percent):.1f} % {'fewer' if percent < 0 else 'more'} {what}"


def _one_line(value: Any) -> str:
    """``value`` without line breaks; a mapping as ``name value, name value``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_one_line(inner)}" for key, inner in value.items())
    return " ".join(str(value).split())
