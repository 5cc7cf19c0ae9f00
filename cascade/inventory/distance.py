"""How far two phones are apart: the articulatory features in which they differ.

The features are PanPhon's, 22 to a segment, each +, - or 0 where it does not apply
(Mortensen et al., "PanPhon: A Resource for Mapping IPA Segments to Articulatory Feature
Vectors", COLING 2016). A distance of 1 is one feature: the voice of ``t`` and ``d``, the
palatalisation of ``t`` and ``tʲ``. PanPhon's weights only decide between phones at the same
distance: by weight, ``l`` would be nearer to ``h`` than ``x`` is.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cascade.text.phones import AFFRICATES

LEAST = 0.5  # between phones with the same features in PanPhon: r and ɾ, k and kʲ
TIE = "\u0361"  # in affricates: PanPhon needs it, our phones have none
# What espeak-ng and some typists write, and what PanPhon has instead.
IPA = {"ᵻ": "ɪ̈", "ɚ": "ə˞", "ɝ": "ɜ˞", "g": "ɡ", "t͡ʂ": "ʈ͡ʂ", "d͡ʐ": "ɖ͡ʐ"}


@dataclass(frozen=True, order=True)
class Neighbour:
    """The nearest phone to another one; ``distance`` in features (see `distance`)."""

    distance: float
    phone: str


def described(phone: str) -> bool:
    """Return whether PanPhon has features for ``phone``, as `cascade.text.phones` writes it."""
    return _segment(phone) is not None


def distance(a: str, b: str) -> float:
    """Return in how many features two phones differ; one that applies to one of them is half.

    The same phone has the distance 0, others at least `LEAST`. Raises `KeyError` for a phone
    that is not `described`.

    >>> distance("t", "d"), distance("t", "tʲ"), distance("ts", "tʃ"), distance("r", "ɾ")
    (1.0, 1.0, 2.0, 0.5)
    """
    return _distance(a, b)[0]


def nearest_phones(own: Iterable[str], others: Iterable[str]) -> dict[str, Neighbour]:
    """Return the nearest of ``others`` to each phone of ``own``, sorted by phone.

    The result does not depend on the order: at the same distance PanPhon's weights decide,
    then the shorter name, then the code points. Phones that are not `described` are left out
    on both sides.
    """
    candidates = [phone for phone in set(others) if described(phone)]
    neighbours = {}
    for phone in sorted(filter(described, set(own))):
        ranked = ((*_distance(phone, other), len(other), other) for other in candidates)
        if best := min(ranked, default=None):
            neighbours[phone] = Neighbour(best[0], best[-1])
    return neighbours


@functools.cache
def _distance(a: str, b: str) -> tuple[float, float]:
    """Return the distance of two phones, and PanPhon's weighted one."""
    if a == b:
        return 0.0, 0.0
    first, second = _segment(a), _segment(b)
    if first is None or second is None:
        raise KeyError(b if second is None else a)
    return max(LEAST, first.distance(second) / 2), first.weighted_distance(second)


@functools.cache
def _segment(phone: str) -> Any:
    """Return PanPhon's segment, or None."""
    ipa = phone[0] + TIE + phone[1:] if phone[:2] in AFFRICATES else phone
    for written, panphons in IPA.items():
        ipa = ipa.replace(written, panphons)
    return _table().fts(ipa) or None


@functools.cache
def _table() -> Any:
    import panphon  # a third of a second; only this module needs it

    return panphon.FeatureTable()
