"""The server's routes, who may use them, and how it stops."""

import asyncio
import json
import os
import signal
import socket
import time
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile
from bundle_files import packed
from live_server import END, START, get, post, run, serving, stream

from cascade.bundle.reader import opened
from cascade.recognition import formats
from cascade.recognition.packed_system import PackedSystem
from cascade.recognition.recordings import transcribe
from cascade.serving.server import UNKNOWN

TOKEN = "a secret"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return packed(tmp_path_factory.mktemp("server"), cmn="utterance")


@pytest.fixture(scope="module")
def live(bundle):
    with serving(bundle, "--max-file-mb", 1, "--max-seconds", 20) as server:
        yield server


def test_a_recording_gives_what_transcribe_gives(live, bundle, wav, tmp_path):
    path = wav(tmp_path / "a.wav", 2.5, seed=2)
    with opened(bundle) as checked:
        (recording,) = transcribe(PackedSystem(checked, checked.manifest.words.nbest), [path])
    status, headers, text = run(post(live, path.read_bytes()))
    assert status == 200 and headers["Content-Type"].startswith("application/json")
    assert json.loads(text) == json.loads(formats.as_json("", recording))
    assert json.loads(text)["parts"][0]["phones"]


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"", 400, "The body must be a recording."),
        (b"RIFF" + bytes(2000), 400, "the audio file the recording cannot be read"),
        (bytes(2 << 20), 413, None),
    ],
)
def test_what_is_no_recording(live, data, status, sentence):
    answer, _, text = run(post(live, data))
    assert answer == status
    assert sentence is None or sentence in json.loads(text)["error"]
    assert run(get(live, "/healthz"))[0] == 200


def test_too_long_a_recording(live, tmp_path, wav):
    path = tmp_path / "long.flac"
    samples, rate = soundfile.read(wav(tmp_path / "long.wav", 21.0, rate=8000), dtype="float32")
    soundfile.write(path, 0 * samples, rate)
    status, _, text = run(post(live, path.read_bytes()))
    assert (status, json.loads(text)) == (400, {"error": "the recording lasts 21 s, more than 20."})


def test_silence_that_is_small_only_in_the_file(live, tmp_path):
    """Eight channels at 192 kHz take 16 times the memory of a stereo second at 48 kHz."""
    answers = []
    for seconds in (1, 2):  # 20 s of stereo are 1.92 million samples
        soundfile.write(path := tmp_path / "a.flac", np.zeros((192000 * seconds, 8)), 192000)
        answers.append(run(post(live, path.read_bytes())))
    assert [status for status, _, _ in answers] == [200, 400]
    assert json.loads(answers[1][2])["error"] == (
        "the recording has 3072000 samples in 8 channels, more than 20 s of stereo at 48000 Hz."
        " Convert it to one channel at 48000 Hz or less."
    )


def test_health_and_metrics(live, wav, tmp_path):
    pcm = soundfile.read(wav(tmp_path / "a.wav", 2.0), dtype="int16")[0].tobytes()
    run(stream(live, START, pcm, END))
    status, _, text = run(get(live, "/healthz"))
    assert status == 200
    assert json.loads(text) == {
        **{"status": "ok", "streams": 0, "most_streams": 8, "processes": 1},
        **{"recordings": True, "token": False},
        **{"model": "small plain", "language": "ru", "rate": 16000},
    }
    status, _, text = run(get(live, "/metrics"))
    lines = dict(line.split(" ") for line in text.splitlines() if line[0] != "#")
    assert status == 200
    assert float(lines["cascade_streams_opened_total"]) >= 1
    assert float(lines["cascade_speech_seconds_total"]) >= 2
    assert float(lines['cascade_streams_closed_total{code="1000"}']) >= 1
    assert float(lines["cascade_delay_seconds_count"]) >= 1


def test_the_page_runs_nothing_but_its_own_code(live):
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript")):
        status, headers, text = run(get(live, path))
        assert status == 200 and headers["Content-Type"] == f"{kind}; charset=utf-8"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "innerHTML" not in text and "style=" not in text and "onclick" not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://a.example"},
        {"Origin": "null"},
        {"Host": "a.example"},
        {"Host": "[::1"},
        {"Origin": "http://[::1"},
    ],
)
def test_pages_of_others_are_refused(live, headers):
    assert run(post(live, b"x", headers=headers))[0] == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        run(stream(live, START, headers=headers))
    assert refused.value.status == 403


def test_its_own_page_and_those_that_are_named(bundle, live):
    own = {"Origin": live.url}
    assert run(stream(live, START, END, headers=own))[1] == 1000
    with serving(bundle, "--origin", "https://a.example") as named:
        other = {"Origin": "https://a.example", "Host": "a.example"}
        assert run(stream(named, START, END, headers=other))[1] == 1000
        for path in ("/", "/healthz"):  # of a browser through a proxy that keeps the name
            assert run(get(named, path, headers={"Host": "A.example"}))[0] == 200
            assert run(get(named, path, headers={"Host": "b.example"}))[0] == 403


def test_a_token(bundle, tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    with serving(bundle, "--token-file", path) as live:
        assert run(get(live, "/healthz"))[0] == 200
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}):
            assert run(post(live, b"x", headers=wrong))[0] == 401
            assert run(get(live, "/metrics", headers=wrong))[0] == 401
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert run(get(live, "/metrics", headers=right))[0] == 200
        assert run(stream(live, START, END, headers=right))[1] == 1000
        first = {"type": "start", "rate": 16000}
        assert run(stream(live, json.dumps(first | {"token": TOKEN}), END))[1] == 1000
        for token in (None, "x", 7, [TOKEN], "\ud800"):
            answers, code = run(stream(live, json.dumps(first | {"token": token}), END))
            assert code == 1008 and "token" in answers[-1]["message"]


async def health(live, wanted):
    """Wait until the server is as wanted; return how it is."""
    while not wanted(state := json.loads((await get(live, "/healthz"))[2])):
        await asyncio.sleep(0.05)
    return state


def test_who_has_not_shown_the_token_takes_no_stream(bundle, tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    header = {"Authorization": f"Bearer {TOKEN}"}
    first = json.dumps({"type": "start", "rate": 16000, "token": TOKEN})

    async def crowd(live):
        async with aiohttp.ClientSession() as http:
            silent = [await http.ws_connect(f"{live.url}/stream") for _ in range(UNKNOWN)]
            assert json.loads((await get(live, "/healthz"))[2])["streams"] == 0
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(f"{live.url}/stream")
            assert refused.value.status == 429
            assert (await stream(live, START, END, headers=header))[1] == 1000
            await health(live, lambda state: state["streams"] == 0)
            known, late = silent[:2]
            await known.send_str(first)
            assert (await known.receive_json())["type"] == "ready"
            assert json.loads((await get(live, "/healthz"))[2])["streams"] == 1
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(f"{live.url}/stream", headers=header)
            assert refused.value.status == 429
            await late.send_str(first)
            error = await late.receive_json()
            assert error["message"] == "All 1 streams are taken. Try again later."
            await late.receive()
            assert late.close_code == 1013

    with serving(bundle, "--token-file", path, "--max-streams", 1) as live:
        run(crowd(live))


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_client_that_hangs_up_leaves_no_traceback(bundle):
    begin = b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nRIFF"
    with serving(bundle) as live:
        with socket.create_connection(("127.0.0.1", live.port)) as client:
            client.sendall(begin)
        refused = 'cascade_refused_total{status="400"} 1.0'
        for _ in range(200):
            if refused in run(get(live, "/metrics"))[2]:
                break
            time.sleep(0.05)
        live.process.send_signal(signal.SIGTERM)
        _, rest = live.process.communicate(timeout=60)
    assert "Traceback" not in rest and "The server has stopped." in rest


def decodes(pid: int) -> bool:
    """Return whether a process has the recording: then it dies with its parent."""
    try:
        files = [os.readlink(name) for name in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # one of them is closed meanwhile
        return False
    return any("memfd:recording" in file for file in files)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_the_middle_of_a_recording(bundle, number, wav, tmp_path):
    data = wav(tmp_path / "a.wav", 60.0, seed=1).read_bytes()
    decoders = []

    async def interrupted(live):
        upload = asyncio.create_task(post(live, data))
        while not decoders:
            await asyncio.sleep(0.001)
            decoders.extend(filter(decodes, children(live.children()[0])))
        os.kill(decoders[0], signal.SIGSTOP)  # a recording that takes for ever
        live.process.send_signal(number)
        return await upload

    with serving(bundle) as live:
        try:
            status, _, text = run(interrupted(live))
            assert (status, json.loads(text)) == (503, {"error": "The server stops."})
            _, rest = live.process.communicate(timeout=60)
            assert live.process.returncode == 0, rest
            assert "Traceback" not in rest and "The server has stopped." in rest
            for _ in range(100):
                if not Path(f"/proc/{decoders[0]}").exists():
                    return
                time.sleep(0.1)
            raise AssertionError("the process that decodes the recording goes on")
        finally:
            for decoder in decoders:
                if Path(f"/proc/{decoder}").exists():
                    os.kill(decoder, signal.SIGKILL)


def test_no_limit_of_seconds_and_a_process_of_recordings_that_dies(bundle, wav, tmp_path):
    data = wav(tmp_path / "a.wav", 1.0).read_bytes()
    with serving(bundle, "--max-seconds", "inf") as live:
        assert [run(post(live, data))[0] for _ in range(2)] == [200, 200]
        assert run(get(live, "/healthz"))[0] == 200
        os.kill(live.children()[0], signal.SIGKILL)
        status, _, text = run(post(live, data))
        assert status == 500 and "has died. Restart the server." in json.loads(text)["error"]
        state = run(health(live, lambda state: state["status"] == "broken"))
        assert (state["recordings"], state["processes"]) == (False, 1)
        assert run(get(live, "/healthz"))[0] == 503
        assert run(stream(live, START, END))[1] == 1000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_after_the_last_words(bundle, number, wav, tmp_path):
    pcm = soundfile.read(wav(tmp_path / "a.wav", 3.0, seed=1), dtype="int16")[0].tobytes()
    with serving(bundle) as live:
        assert len(children := live.children()) == 2

        async def interrupted():
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(f"{live.url}/stream") as socket,
            ):
                await socket.send_str(START)
                await socket.send_bytes(pcm)
                await socket.receive()  # ready
                live.process.send_signal(number)
                answers = [json.loads(answer.data) async for answer in socket]
                return answers, socket.close_code

        answers, code = run(interrupted())
        assert code == 1001
        assert [answer["type"] for answer in answers[-2:]] == ["final", "end"]
        assert answers[-1]["seconds"] == 3.0
        _, rest = live.process.communicate(timeout=60)
        assert live.process.returncode == 0, rest
        assert "Traceback" not in rest and "The server has stopped." in rest
        assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_a_worker_that_dies_ends_its_streams(bundle):
    with serving(bundle) as live:

        async def killed():
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(f"{live.url}/stream") as socket,
            ):
                await socket.send_str(START)
                await socket.receive()
                await socket.send_bytes(bytes(3200))
                await asyncio.sleep(0.5)
                for child in live.children():
                    os.kill(child, signal.SIGKILL)
                await asyncio.sleep(0.5)
                await socket.send_bytes(bytes(3200))
                answers = [json.loads(answer.data) async for answer in socket]
                return answers, socket.close_code

        answers, code = run(killed())
        assert code == 1011 and "has died. Connect again." in answers[-1]["message"]
        _, rest = live.process.communicate(timeout=60)
        assert live.process.returncode == 1
        assert "all processes that recognise speech have died" in rest


def test_a_port_that_is_taken(bundle, live):
    with (
        pytest.raises(AssertionError, match=r"cannot listen at 127\.0\.0\.1, port"),
        serving(bundle, "--port", live.port),
    ):
        pass
