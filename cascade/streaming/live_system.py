"""A bundle as a recogniser of streams."""

import logging
from dataclasses import replace

from cascade.bundle.manifest import STREAM
from cascade.bundle.network import StreamNetwork
from cascade.bundle.reader import Bundle
from cascade.config.sections import Features
from cascade.features.cmn import read_cms_init
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.recognition.packed_system import PackedSystem
from cascade.runtime.errors import UserError
from cascade.streaming.stream import Parts

log = logging.getLogger("cascade")
WINDOW, GLOBAL, START = 3000, 20, 100  # frames


def load(bundle: Bundle, nbest: int) -> Parts:
    """Load what streams of a bundle need; ``nbest`` is the length of n-best lists.

    Raises `UserError` for a bundle that cannot be used so. Warns where the network was trained
    with means of complete utterances.
    """
    encoder = bundle.shape().get("encoder", "lstm")
    if encoder != "lstm":
        raise UserError(
            f"{bundle.name} cannot recognise while somebody speaks: its network, a {encoder}, needs"
            " the complete recording. Use 'transcribe', or a bundle with the encoder lstm."
        )
    if STREAM not in bundle.manifest.files:
        raise UserError(
            f"{bundle.name} has no {STREAM}: an older version packed it. Pack it again: stage 7."
        )
    features = bundle.manifest.features
    if features.cmn != "online":
        log.warning(
            "warning: this model was trained with the mean of the complete recording. A stream has"
            " the mean of what was spoken so far: expect some more errors."
        )
    network = StreamNetwork(bundle.folder / STREAM, bundle.name)
    decoder = PackedSystem(bundle, nbest).decoder()
    size = features.filters * features.stack
    if network.inputs != size or network.phones != len(decoder.phones):
        raise UserError(
            f"{bundle.name} is refused: {STREAM} takes {network.inputs} values in a step and gives"
            f" {network.phones} phones; the bundle has {size} and {len(decoder.phones)}."
        )
    mean = read_cms_init(bundle.folder / "cms_init.json")
    if mean.shape != (features.filters,):
        raise UserError(
            f"{bundle.name} is refused: cms_init.json has {mean.size} values; the bundle has"
            f" {features.filters} filters."
        )
    return Parts(
        NumpyFilterbank(features.rate, features.filters),
        live(features),
        mean,
        network,
        decoder,
        bundle.manifest.limits.max_seconds,
    )


def live(features: Features) -> Features:
    """Return how a stream computes features: with running means.

    A recipe with means of utterances has no settings of running ones that were chosen. These are
    one of the two best of eight on valid: the speech itself soon counts more than cms-init.
    """
    if features.cmn == "online":
        return features
    settings = {"cmn_window": WINDOW, "cmn_global": GLOBAL, "cmn_start": START}
    return replace(features, cmn="online", **settings)
