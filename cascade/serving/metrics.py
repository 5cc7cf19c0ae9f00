"""The server's figures, as Prometheus reads them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cascade.serving.stream_worker import Reply

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All figures of one server."""

    def __init__(self) -> None:
        self._all = registry = CollectorRegistry()
        self.streams = Gauge("cascade_streams", "Open streams", registry=registry)
        self.opened = Counter("cascade_streams_opened", "Streams so far", registry=registry)
        self.closed = Counter(
            "cascade_streams_closed",
            "Streams that ended, by close code",
            ["code"],
            registry=registry,
        )
        self.refused = Counter(
            "cascade_refused",
            "Requests that were refused, by status",
            ["status"],
            registry=registry,
        )
        self.speech = Counter(
            "cascade_speech_seconds", "Seconds of speech that streams sent", registry=registry
        )
        self.files = Counter(
            "cascade_files", "Uploaded recordings, by status", ["status"], registry=registry
        )
        self._words = Counter("cascade_words", "Words in final results", registry=registry)
        self._delay = Histogram(
            "cascade_delay_seconds",
            "From the arrival of samples until they are recognised",
            buckets=SECONDS,
            registry=registry,
        )

    def processed(self, seconds: float, reply: Reply) -> None:
        """Count a piece of a stream, ``seconds`` after it came."""
        self._delay.observe(seconds)
        if not isinstance(reply, str):
            self._words.inc(sum(len(one["words"]) for one in reply if one["type"] == "final"))

    def text(self) -> bytes:
        """Return all figures in Prometheus's text form."""
        return generate_latest(self._all)
