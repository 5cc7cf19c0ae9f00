"""The page of the server in a browser, with a recording as its microphone."""

import json

import pytest
from browser import chromium
from bundle_files import SCALES, packed
from live_server import serving

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
PHONE = {"width": 375, "height": 700}
TALKATIVE = SCALES | {"word_penalty": -6.0}  # the network has learnt nothing: it finds few words


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with serving(packed(tmp_path_factory.mktemp("page"), TALKATIVE, cmn="online")) as server:
        yield server


@pytest.fixture
def page(live, wav, tmp_path):
    program, environment = chromium()
    sound = wav(tmp_path / "microphone.wav", 6.0, rate=48000, seed=1)
    arguments = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=program, args=arguments, env=environment or None
        )
        page = browser.new_page(viewport=PHONE, color_scheme="dark")
        page.problems, page.received = [], []

        def keep(message: str) -> None:
            page.received.append(message)

        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda line: line.type == "error" and page.problems.append(line.text))
        page.on("websocket", lambda socket: socket.on("framereceived", keep))
        page.goto(live.url)
        page.wait_for_selector("#button:enabled", timeout=60_000)
        yield page
        browser.close()


def wait(page, expression: str) -> None:
    """Wait until something is true: `wait_for_function` needs what the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {expression}")


def test_the_words_of_the_microphone_appear(page):
    assert page.inner_text("#model") == "Model small plain, language ru"
    assert page.get_attribute("#words", "lang") == "ru"
    page.click("#button")
    wait(page, "document.getElementById('stable').textContent")
    wait(page, "document.getElementById('level').value > -50")
    assert page.inner_text("#state") == "Listening."
    page.click("#button")  # stops
    wait(page, "document.querySelector('.final') !== null")
    wait(page, "document.getElementById('state').textContent === 'Ready.'")
    events = [json.loads(message) for message in page.received]
    finals = [event["text"] for event in events if event["type"] == "final" and event["text"]]
    assert finals and events[-1]["type"] == "end"
    shown = page.eval_on_selector_all(".final", "lines => lines.map(l => l.lastChild.textContent)")
    assert shown == finals
    assert page.inner_text("#rest") == page.inner_text("#stable") == ""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"] and page.problems == []


def test_words_are_text(page):
    page.evaluate("""add({text: "<img src=x onerror=alert(1)><b>да</b>", begin: 61.5})""")
    page.evaluate("""show("<b>да", "<i>нет")""")
    assert page.query_selector("#words b, #words i, #words img") is None
    assert page.inner_text(".final").endswith("<img src=x onerror=alert(1)><b>да</b>")
    assert page.inner_text(".final time") == "1:01" and page.problems == []


def test_it_says_what_is_wrong(page, live):
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('', 'NotAllowedError') } }"
    )
    page.click("#button")
    page.wait_for_selector("#state.wrong")
    assert page.inner_text("#state") == "The browser may not use the microphone."
    assert page.get_attribute("#button", "aria-pressed") == "false"
