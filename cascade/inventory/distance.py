"""How far two phones are apart: the articulatory features in which they differ.

The features are PanPhon's, 22 to a segment, each +, - or 0 where it does not apply
(Mortensen et al., "PanPhon: A Resource for Mapping IPA Segments to Articulatory Feature
Vectors", COLING 2016). A distance of 1 is one feature: the voice of ``t`` and ``d``, the
palatalisation of ``t`` and ``tʲ``. PanPhon's weights only decide between neighbours that
are equally far: by weight alone ``l`` would be nearer to ``h`` than ``x`` is.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from cascade.text.phones import AFFRICATES

LEAST = 0.5  # between phones that PanPhon does not tell apart: r and ɾ, k and kʲ
TIE = "\u0361"  # PanPhon knows affricates by it, our phones have none
# What espeak-ng and careless typists write, as PanPhon does.
IPA = {"ᵻ": "ɪ̈", "ɚ": "ə˞", "ɝ": "ɜ˞", "g": "ɡ", "t͡ʂ": "ʈ͡ʂ", "d͡ʐ": "ɖ͡ʐ"}


@dataclass(frozen=True, order=True)
class Neighbour:
    """The phone nearest to another one; ``distance`` in features (see `distance`)."""

    distance: float
    phone: str


def described(phone: str) -> bool:
    """Whether PanPhon has features for ``phone``, a phone as `cascade.text.phones` writes it."""
    return _segment(phone) is not None


def distance(a: str, b: str) -> float:
    """In how many features two phones differ, half for one that only one of them has.

    Phones written the same are 0 apart, others at least `LEAST`. Raises `KeyError` for a
    phone that is not `described`.
    """
    return _distance(a, b)[0]


def nearest(own: Iterable[str], others: Iterable[str]) -> dict[str, Neighbour]:
    """The nearest of ``others`` to each phone of ``own``, sorted by phone.

    Depends on no order: between equally near ones PanPhon's weights decide, then the
    shorter name, then the code points. Phones that are not `described` are left out, as
    ``own`` and as ``others``.
    """
    among = [phone for phone in set(others) if described(phone)]
    found = {}
    for phone in sorted(filter(described, set(own))):
        ranked = ((*_distance(phone, other), len(other), other) for other in among)
        if best := min(ranked, default=None):
            found[phone] = Neighbour(best[0], best[-1])
    return found


@functools.cache
def _distance(a: str, b: str) -> tuple[float, float]:
    """The distance of two phones, and PanPhon's weighted one."""
    if a == b:
        return 0.0, 0.0
    first, second = _segment(a), _segment(b)
    if first is None or second is None:
        raise KeyError(b if second is None else a)
    return max(LEAST, first.distance(second) / 2), first.weighted_distance(second)


@functools.cache
def _segment(phone: str):
    """PanPhon's segment, or None."""
    ipa = phone[0] + TIE + phone[1:] if phone[:2] in AFFRICATES else phone
    for written, meant in IPA.items():
        ipa = ipa.replace(written, meant)
    return _table().fts(ipa) or None


@functools.cache
def _table():
    import panphon  # a third of a second; nothing but this module needs it

    return panphon.FeatureTable()
