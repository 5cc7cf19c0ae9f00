"""The sound of utterances: Opus in Ogg, as small as speech allows, and the shape of the wave."""

import io

import av
import numpy as np

RATES = (8000, 12000, 16000, 24000, 48000)  # in Hz, that Opus takes
BITS = 24_000  # a second
FASTEST = "0"  # of eleven levels: a third of the time of the best one, and speech sounds alike
PEAKS = 300  # points of a wave


def rate_for(rate: int) -> int:
    """Return the lowest rate of Opus that is at least ``rate``.

    >>> rate_for(8000), rate_for(11025), rate_for(44100)
    (8000, 12000, 48000)
    """
    return min((r for r in RATES if r >= rate), default=RATES[-1])


def opus(samples: np.ndarray, rate: int) -> bytes:
    """Encode samples (N,) float32 at one of `RATES`: the same samples give the same bytes."""
    memory = io.BytesIO()
    # Without "bitexact" the stream has a random number, and the version of the encoder.
    with av.open(memory, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=rate, layout="mono")
        stream.bit_rate = BITS
        stream.options = {
            "application": "voip",
            "compression_level": FASTEST,
            "flags": "+bitexact",
        }
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = rate
        for some in (frame, None):
            container.mux(stream.encode(some))
    return memory.getvalue()


def peaks(samples: np.ndarray) -> str:
    """Return the loudest sample of each of `PEAKS` parts as a digit of base 36, by the loudest."""
    parts = np.array_split(np.abs(samples), min(PEAKS, len(samples)) or 1)
    loud = np.array([part.max(initial=0.0) for part in parts])
    top = loud.max() or 1.0
    return "".join(np.base_repr(round(35 * value / top), 36).lower() for value in loud)
