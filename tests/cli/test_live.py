"""The command `listen` on a pipe, without torch."""

import json
import subprocess
import sys

import numpy as np
import pytest
from bundle_files import WITHOUT, packed

from cascade.bundle.reader import opened
from cascade.runtime.project import ROOT
from cascade.streaming.live_system import load
from cascade.streaming.messages import message
from cascade.streaming.stream import Stream


def listen(*options: object, sound: bytes, expect: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "listen", *map(str, options)],
        input=sound,
        capture_output=True,
        cwd=ROOT,
    )
    assert done.returncode == expect, done.stderr.decode()
    return done


@pytest.mark.parametrize("odd", [b"", b"\x01"])
def test_a_pipe_gives_the_events_of_a_stream(tmp_path, odd):
    bundle = packed(tmp_path, cmn="online")
    noise = np.random.default_rng(5).normal(0, 3000, 40_000).astype("<i2")
    with opened(bundle) as one:
        stream = Stream(load(one, 5), 0.8)
        samples = noise.astype(np.float32) / 32768
        expected = [message(event) for event in (*stream.accept(samples), *stream.finish())]
    assert expected[-1]["type"] == "final"
    sound = noise.tobytes() + odd  # half a sample at the end
    done = listen("--bundle", bundle, "--json", "-", sound=sound)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[-1]["text"] == expected[-1]["text"] and len(rows) == len(expected)
    done = listen("--bundle", bundle, "-", sound=sound)
    finals = [row["text"] for row in expected if row["type"] == "final"]
    assert done.stdout.decode().splitlines() == finals


def test_no_microphone_is_one_sentence(tmp_path):
    bundle = packed(tmp_path, cmn="online")
    done = listen("--bundle", bundle, "--device", "none:7", sound=b"", expect=1)
    assert b"no microphone: the ALSA device 'none:7' cannot be opened" in done.stderr
    assert b"Traceback" not in done.stderr
