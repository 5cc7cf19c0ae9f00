"""Streams over WebSocket: what they give, and how clients are told what is wrong."""

import asyncio
import json

import aiohttp
import numpy as np
import pytest
import soundfile
from bundle_files import packed
from live_server import END, START, get, run, serving, stream

from cascade.bundle.reader import opened
from cascade.streaming.live_system import load
from cascade.streaming.messages import message
from cascade.streaming.stream import Stream

LIMITS = ("--max-streams", 3, "--max-seconds", 20, "--max-behind", 8, "--idle", 1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return packed(tmp_path_factory.mktemp("session"), cmn="online", smooth=0.5)


@pytest.fixture(scope="module")
def live(bundle):
    with serving(bundle, *LIMITS) as server:
        yield server


@pytest.fixture
def pcm(wav, tmp_path) -> bytes:
    return soundfile.read(wav(tmp_path / "a.wav", 4.0, seed=1), dtype="int16")[0].tobytes()


def test_a_stream_gives_what_it_gives_without_a_server(live, bundle, pcm):
    with opened(bundle) as checked:
        alone = Stream(load(checked, checked.manifest.words.nbest))
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    expected = [message(event) for event in [*alone.accept(samples), *alone.finish()]]
    pieces = [pcm[i : i + 3200] for i in range(0, len(pcm), 3200)]
    answers, code = run(stream(live, START, *pieces, END))
    assert code == 1000
    assert answers[0] == {"type": "ready", "model": "small plain", "language": "ru", "rate": 16000}
    assert answers[-1] == {"type": "end", "seconds": 4.0}
    finals = [answer for answer in answers if answer["type"] == "final"]
    assert finals == [one for one in expected if one["type"] == "final"] and finals
    partials = [answer for answer in answers if answer["type"] == "partial"]
    assert partials and all(one in expected for one in partials)  # late ones are left out


def test_other_rates_are_resampled(live, wav, tmp_path):
    path = wav(tmp_path / "b.wav", 4.0, rate=48000, seed=1)
    pcm = soundfile.read(path, dtype="int16")[0].tobytes()
    first = json.dumps({"type": "start", "rate": 48000})
    answers, code = run(stream(live, first, pcm[:192000], pcm[192000:], END))
    assert code == 1000 and answers[-1] == {"type": "end", "seconds": 4.0}
    assert answers[-2]["end"] == pytest.approx(4.0, abs=0.05)


WRONG = [
    (["no JSON"], 1007, "a JSON object"),
    (["[1]"], 1007, "a JSON object"),
    (["[" * 5000], 1007, "a JSON object"),
    ([b"\0\0"], 1007, "a JSON object"),
    (['{"type": "end"}'], 1007, "The first message must be"),
    (['{"type": "start"}'], 1007, "rate must be a whole number of 8000 to 48000 Hz."),
    (['{"type": "start", "rate": "16000"}'], 1007, "rate must be"),
    (['{"type": "start", "rate": true}'], 1007, "rate must be"),
    (['{"type": "start", "rate": 1e99}'], 1007, "rate must be"),
    ([START, b"\0\0\0"], 1007, "an even number of bytes"),
    ([START, START], 1007, 'text can only be {"type": "end"}'),
    ([START, b"\0\0" * 140_000], 1009, None),
    ([START, *[b"\0\0" * 16000] * 30], 1013, "More than 8 s of speech wait"),
    ([START], 1008, "No message came for 1 s."),
]


@pytest.mark.parametrize(("messages", "code", "sentence"), WRONG)
def test_what_is_wrong_has_a_code_and_a_sentence(live, messages, code, sentence):
    answers, closed = run(stream(live, *messages))
    assert closed == code
    if sentence:
        assert answers[-1]["type"] == "error" and sentence in answers[-1]["message"]


def test_too_long_a_stream(live):
    async def slowly():
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{live.url}/stream") as socket,
        ):
            await socket.send_str(START)
            for _ in range(21):
                await socket.send_bytes(bytes(32000))
                await asyncio.sleep(0.3)
            answers = [json.loads(answer.data) async for answer in socket]
            return answers, socket.close_code

    answers, code = run(slowly())
    assert code == 1008 and answers[-1]["message"] == "A stream may have 20 s. Connect again."


def test_what_is_no_speech_does_not_keep_a_stream_open(live):
    async def chatter():
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{live.url}/stream") as socket,
        ):
            await socket.send_str(START)
            await socket.receive()  # ready
            answer = asyncio.create_task(socket.receive_json())
            for _ in range(100):
                await socket.send_bytes(b"")
                await socket.ping()
                if (await asyncio.wait({answer}, timeout=0.1))[0]:
                    break
            return await asyncio.wait_for(answer, 0.1)

    assert run(chatter()) == {"type": "error", "message": "No message came for 1 s."}


def test_the_streams_are_limited_and_a_lost_client_frees_its_own(live, pcm):
    async def crowd():
        async with aiohttp.ClientSession() as http:
            sockets = [await http.ws_connect(f"{live.url}/stream") for _ in range(3)]
            for socket in sockets:
                await socket.send_str(START)
                await socket.receive()
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(f"{live.url}/stream")
            assert refused.value.status == 429 and refused.value.headers["Retry-After"] == "5"
            for socket in sockets:
                socket._response.connection.transport.abort()  # as a network that breaks
        for _ in range(100):
            if json.loads((await get(live, "/healthz"))[2])["streams"] == 0:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the streams of lost clients stay")

    run(crowd())
    answers, code = run(stream(live, START, pcm[:32000], END))
    assert code == 1000 and answers[-1]["type"] == "end"
