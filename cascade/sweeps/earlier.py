"""The earlier sweep of a recipe, to which another one adds values (``--add``)."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cascade.runtime.errors import UserError
from cascade.sweeps.plan import Point, rank
from cascade.sweeps.results import FIGURES, JUDGED, PAGE, Entry
from cascade.sweeps.significance import SweepComparison

COMMIT = re.compile(r"^- commit: (\S+)$", re.MULTILINE)


class Earlier(NamedTuple):
    """What stays of an earlier sweep: its values that the new one lacks, and their points."""

    entries: Sequence[Entry] = ()
    comparisons: Sequence[SweepComparison] = ()
    points: int = 0


def read_earlier(folder: Path, plan: Sequence[Point]) -> Earlier:
    """Read what a recipe's published sweep has beside the values of ``plan``.

    Its entries get the ``commit`` that made them. Raises `UserError` where there is no sweep, where
    it is damaged, and where it is of another key, other systems or other tests.
    """
    path = folder / FIGURES
    if not path.is_file():
        raise UserError(f"--add: there is no sweep to add to: {path} is missing.")
    ((key, _),) = plan[0].values
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        comparisons = json.loads((folder / JUDGED).read_text(encoding="utf-8"))
        made_by = COMMIT.search((folder / PAGE).read_text(encoding="utf-8"))
        commit = made_by[1] if made_by else "unknown"
        values = {str(point.swept[key]) for point in plan}
        stay = [
            {**e, "commit": e.get("commit", commit)} for e in entries if str(e[key]) not in values
        ]
        judged = [one for one in comparisons if str(one[key]) not in values]
        earlier = [{entry[column] for entry in entries} for column in ("system", "test")]
    except KeyError as error:
        raise UserError(f"--add: {path} lacks {error}: it is a sweep over another key.") from None
    except (OSError, ValueError, TypeError):
        raise UserError(f"--add: {path} or a file beside it is damaged.") from None
    own = [
        {system for point in plan for system in point.recipe.systems},
        {test.label for point in plan for test in point.recipe.tests},
    ]
    for column, found, asked in zip(("systems", "tests"), earlier, own, strict=True):
        if found != asked:
            raise UserError(
                f"--add: {path} has the {column} {', '.join(sorted(found))}; this sweep has"
                f" {', '.join(sorted(asked))}. They must be the same."
            )
    return Earlier(stay, judged, len({(str(e[key]), e["seed"]) for e in stay}))


def joined(earlier: Sequence[Any], new: Sequence[Any], key: str) -> list[Any]:
    """Return the entries of both sweeps, sorted by the value of ``key``."""
    return sorted([*earlier, *new], key=lambda entry: rank(str(entry[key])))
