"""Lhotse manifests of a data set: recordings, supervisions and cuts."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from lhotse import Features, MonoCut, MultiCut, Recording, SupervisionSegment
from lhotse.audio import AudioSource
from lhotse.cut import Cut

from cascade.config.layout import Layout
from cascade.config.sections import FRAME_SHIFT, FRAMES_PER_SECOND
from cascade.data.utterance_checks import CheckedUtterance
from cascade.runtime.files import jsonl_gz

AddUtterance = Callable[[CheckedUtterance, bool], None]  # the utterance, whether it is chosen


@contextmanager
def manifests(
    key: str, language: str, rate: int, layout: Layout, capitals: Collection[str]
) -> Iterator[AddUtterance]:
    """Open the manifests of a data set; yield the function that adds an utterance to them.

    Lhotse's recordings, supervisions and cuts have the chosen utterances. A fourth file has
    all that passed the checks; features are made of it. Its rows have ``id``, ``audio``, its
    ``sha256``, and ``start``, ``duration`` (seconds) and ``channel`` (null is the mean of all),
    or ``features`` where the corpus has them. ``rate`` in Hz is what recordings are resampled
    to. A supervision has the words whose spelling says how they are read; of those in capitals,
    these are the ``capitals``. The files appear when the context ends without an error.
    """
    with ExitStack() as stack:
        recordings = stack.enter_context(jsonl_gz(layout.recordings(key)))
        supervisions = stack.enter_context(jsonl_gz(layout.supervisions(key)))
        cuts = stack.enter_context(jsonl_gz(layout.cuts(key)))
        speech = stack.enter_context(jsonl_gz(layout.speech(key)))
        written: set[str] = set()  # audio files with several utterances

        def add(item: CheckedUtterance, chosen: bool) -> None:
            cut = _with_features(item, rate) if item.features else _with_recording(item, rate)
            speech(_row(item, cut))
            if not chosen:
                return
            forms = {
                place: form
                for place, form in item.written.items()
                if form in capitals or not form.isupper()
            }
            supervision = SupervisionSegment(
                id=item.id,
                recording_id=cut.recording_id,
                start=0.0,
                duration=cut.duration,
                channel=cut.channel,
                text=" ".join(item.words),
                language=language,
                speaker=item.speaker,
                custom={"written": forms} if forms else None,
            )
            cut.supervisions = [supervision]
            plain = cut.to_dict()
            supervisions({**plain["supervisions"][0], "start": cut.start})
            cuts(plain)
            file = str(item.audio)
            if cut.has_recording and file not in written:
                recordings(plain["recording"])
                if cut.recording_id == file:
                    written.add(file)

        yield add


def _row(item: CheckedUtterance, cut: Cut) -> dict[str, Any]:
    row = {"id": item.id, "audio": str(item.audio), "sha256": item.digest}
    if item.features:
        return row | {"features": item.features}
    channel = None if item.mixed_channels else cut.channel
    return row | {"start": cut.start, "duration": cut.duration, "channel": channel}


def _with_recording(item: CheckedUtterance, rate: int) -> Cut:
    """Return a cut of one channel, or a `MultiCut` of all channels, to be averaged."""
    info = item.info
    assert info is not None, item.id
    complete = item.start == 0 and item.seconds == round(info.seconds, 6)
    recording = Recording(
        id=item.id if complete else str(item.audio),
        sources=[AudioSource("file", list(range(info.channels)), str(item.audio))],
        sampling_rate=info.rate,
        num_samples=info.samples,
        duration=info.seconds,
    ).resample(rate)
    # A resampled recording ends at a sample of the new rate, perhaps before its old end.
    seconds = min(item.seconds, round(recording.duration - item.start, 6))
    kind = MultiCut if item.mixed_channels else MonoCut
    return kind(
        id=item.id,
        start=item.start,
        duration=seconds,
        channel=list(range(info.channels)) if item.mixed_channels else item.channel or 0,
        recording=recording,
    )


def _with_features(item: CheckedUtterance, rate: int) -> Cut:
    """Return a cut of features that the corpus has, without a recording."""
    features = Features(
        type="kaldi",
        num_frames=round(item.seconds * FRAMES_PER_SECOND),
        num_features=item.feature_size,
        frame_shift=FRAME_SHIFT,
        sampling_rate=rate,
        start=0.0,
        duration=item.seconds,
        storage_type="kaldiio",
        storage_path=item.features,
        storage_key=item.id,
        recording_id=item.id,
        channels=0,
    )
    return MonoCut(item.id, 0.0, item.seconds, channel=0, features=features)
