"""The report in a real browser: what a reader sees, clicks, types and hears."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import chromium
from scored_files import scored
from support import SMALL

from cascade.cli.reports import report as write_several
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.html.build import write_report
from cascade.html.page import embedded, files

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

HOSTILE = "<script>document.title='taken'</script> <img src=x onerror=document.title='taken'>"
NAME = "a\"><svg/onload=document.title='taken'>"


def make(folder: Path, **options) -> Path:
    """The report of an experiment below ``folder``."""
    file = folder / "recipe.json"
    folder.mkdir(parents=True)
    file.write_text(json.dumps(copy.deepcopy(SMALL)), encoding="utf-8")
    exp = folder / "exp"
    layout = Layout(exp / "small", exp / "downloads", exp / "data")
    write_report(scored(Experiment(read_recipe(file), layout), **options))
    return layout.report


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("page") / "plain", utterances=70)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    texts = {NAME: HOSTILE, "u2": "</script><script>document.title='taken'</script>"}
    speakers = ("<b/onclick=x>anna</b>", "</td>boris")
    return make(tmp_path_factory.mktemp("page") / "h", utterances=3, speakers=speakers, texts=texts)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    program, environment = chromium()
    with playwright.sync_playwright() as started:
        one = started.chromium.launch(
            executable_path=program,
            env=environment or None,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield one
        one.close()


@pytest.fixture
def open_page(browser) -> Iterator:
    """Open a report; at the end, no error was logged and no request has left the page."""
    faults: list[str] = []
    contexts = []

    def open_page(file: Path, width: int = 1280, scheme: str = "light", address: str = ""):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("console", lambda line: faults.append(line.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: _left(asked.url, file) and faults.append(asked.url))
        page.goto(file.as_uri() + address, wait_until="commit")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _left(url: str, file: Path) -> bool:
    return not url.startswith(("data:", "blob:", file.as_uri()))


def column(page, name: str) -> list[str]:
    """The cells of a column of the table of utterances, by the beginning of its title."""
    titles = page.locator("#utterance-table th").all_inner_texts()
    place = next(i for i, title in enumerate(titles) if title.startswith(name))
    return page.locator(f"#utterance-table tbody td:nth-child({place + 1})").all_inner_texts()


def number(cell: str) -> float:
    return float(cell.replace("−", "-"))


def test_every_chart_is_drawn_and_labelled(report, open_page):
    page = open_page(report)
    for chart in page.locator("figure.chart").all():
        chart.scroll_into_view_if_needed()
        svg = chart.locator(".plot svg").first
        svg.wait_for()
        assert svg.get_attribute("aria-label")
        assert svg.locator("path, rect, circle, text").count() > 3


def test_controls_redraw_their_chart(report, open_page):
    page = open_page(report)
    chart = page.locator("#chart-rates")
    first = chart.locator("svg").first.get_attribute("aria-label")
    chart.locator("select").select_option("words")
    assert "phone error" in first
    assert "word error" in chart.locator("svg").first.get_attribute("aria-label")
    chart.locator("select").select_option("characters")
    assert "character error" in chart.locator("svg").first.get_attribute("aria-label")
    matrix = page.locator("#chart-confusion")
    matrix.scroll_into_view_if_needed()
    matrix.locator("select[data-key=against]").select_option("plain")
    assert "compared with plain" in matrix.locator("svg").get_attribute("aria-label")


def test_the_table_sorts_by_any_column_and_says_so(report, open_page):
    page = open_page(report)
    assert [number(c) for c in column(page, "change")] == sorted(
        map(number, column(page, "change"))
    )
    for name in ("words", "plain: phone errors", "worst PER"):
        button = page.locator("#utterance-table th button", has_text=name).first
        for order in ("ascending", "descending"):
            button.click()
            values = [number(cell) for cell in column(page, name)]
            assert values == sorted(values, reverse=order == "descending")
            assert page.locator(f'#utterance-table th[aria-sort="{order}"]').count() == 1


def test_search_finds_text_speakers_and_names_and_more_shows_all(report, open_page):
    page = open_page(report)
    assert page.locator("#utterance-table tbody tr").count() == 50
    page.locator("#more").click()
    assert page.locator("#utterance-table tbody tr").count() == 70
    page.locator("#search").fill("МЫЛА кот")
    found = column(page, "reference")
    assert 0 < len(found) < 70
    assert all("мыла" in text and "кот" in text for text in found)
    assert page.locator("#matches").inner_text().startswith(f"{len(found)} of 70")
    page.locator("#search").fill("test_ru-00007")
    assert len(column(page, "reference")) == 1


def test_an_utterance_shows_what_was_fixed_and_its_address_opens_it_again(report, open_page):
    page = open_page(report)
    page.locator("#utterance-table .open").first.click()
    dialog = page.locator("dialog")
    dialog.locator(".changes").wait_for()
    assert dialog.locator(".aligned.words tr.ref td").count() > 2
    assert dialog.locator(".aligned.phones td.wrong").count() > 0
    change = page.locator("#utterance-table tbody tr .good").first.inner_text()
    fixed = int(dialog.locator(".changes").inner_text().split("fixed ")[1].split(":")[0])
    times = [
        int((re.search(r"\((\d+)\)$", kind) or ["", 1])[1])
        for kind in dialog.locator(".changes .good").inner_text().split(", ")
    ]
    assert sum(times) == fixed and times == sorted(times, reverse=True)
    introduced = int(dialog.locator(".changes").inner_text().split("introduced ")[1].split(":")[0])
    assert introduced - fixed == number(change)
    title = dialog.locator("h3").inner_text()
    again = open_page(report, address=page.url[page.url.index("#") :])
    again.locator("dialog .changes").wait_for()
    assert again.locator("dialog h3").inner_text() == title


def test_an_error_of_phones_leads_to_its_utterances(report, open_page):
    page = open_page(report)
    matrix = page.locator("#chart-confusion")
    matrix.scroll_into_view_if_needed()
    matrix.locator("summary").click()
    link = matrix.locator("a.find", has_not_text="∅").first
    error, test = link.get_attribute("data-find"), link.get_attribute("data-test")
    system, ref, hyp = re.fullmatch(r"(\w+):(\S+)→(\S+)", error).groups()
    link.click()
    page.wait_for_function("() => !document.getElementById('matches').innerText.startsWith('70 ')")
    assert page.locator("#test").input_value() == test
    for opened in page.locator("#utterance-table .open").all():
        opened.click()
        page.locator("dialog .changes").first.wait_for()
        columns = page.evaluate(
            """(system) => [...document.querySelectorAll("dialog .phones table")].flatMap((one) => {
              const [reference, ...rows] = [...one.rows].map((row) => [...row.cells]);
              const hypothesis = rows.find(([name]) => name.innerText === system);
              return reference.map((cell, i) => [cell.innerText, hypothesis[i].innerText]);
            })""",
            system,
        )
        assert [ref, hyp] in columns
        page.keyboard.press("Escape")
    before = page.locator("#matches").inner_text()
    page.locator("#search").fill(f"{ref}→{ref}")  # recognised, by the system that is chosen
    page.wait_for_function(
        "(before) => document.getElementById('matches').innerText !== before", arg=before
    )
    matrix.locator("svg").hover(position={"x": 60, "y": 60})
    matrix.locator("svg").click(position={"x": 60, "y": 60})
    page.wait_for_function("() => document.getElementById('search').value.includes(':')")
    assert re.match(r"\w+:\S+→\S+$", page.locator("#search").input_value())


def test_aligned_words_of_wide_letters_end_before_the_edge(report, open_page):
    page = open_page(report)
    spare = page.evaluate("""() => {
      const words = Array.from({ length: 40 }, () => "щюжмшщюжмшщюжмшщюжмш");
      const box = alignment(["plain", "a system of a long name"], [words, words].map((all) =>
        all.map((word) => [word, word])), 700, "words");
      box.style.width = "700px";
      document.querySelector("main").append(box);
      return [...box.querySelectorAll("table")].map((table) => 700 - table.offsetWidth);
    }""")
    assert len(spare) > 5 and 0 <= min(spare) <= spare[0] < 250


def test_the_sound_plays(report, open_page):
    page = open_page(report)
    page.locator("#utterance-table .open").first.click()
    audio = page.locator("dialog audio")
    audio.wait_for()
    audio.evaluate("async (audio) => { audio.muted = true; await audio.play(); }")
    page.wait_for_function("() => document.querySelector('dialog audio').currentTime > 0.1")
    assert abs(audio.evaluate("(audio) => audio.duration") - 1.2) < 0.1
    assert page.locator("dialog .wave svg").get_attribute("aria-label").startswith("Wave of")


def test_it_works_by_keyboard(report, open_page):
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.locator("#utterance-table .open").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.locator(".changes").wait_for()
    first = dialog.locator("h3").inner_text()
    page.keyboard.press("ArrowRight")
    dialog.locator(".changes").wait_for()
    assert dialog.locator("h3").inner_text() != first
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("() => document.activeElement.className") == "open"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_is_wide_enough(report, open_page, scheme):
    page = open_page(report, 400, scheme)
    for section in page.locator("main > section").all():
        section.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 400
    page.locator("#utterance-table .open").first.click()
    page.locator("dialog .changes").wait_for()
    assert page.locator("dialog").bounding_box()["width"] <= 400


def test_dark_mode_is_the_readers_or_the_buttons(report, open_page):
    def brightness(page):
        colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour[4:-1].split(","))

    light, dark = open_page(report), open_page(report, scheme="dark")
    assert brightness(light) > 700 > 100 > brightness(dark)
    dark.locator("#theme").click()
    assert brightness(dark) > 700


@pytest.fixture(scope="module")
def several(report, hostile) -> Path:
    """One page of two experiments and a sweep, with text that would be markup."""
    folder = report.parents[2] / NAME.replace("/", "")
    folder.mkdir()
    draft = {"system": NAME, "target_minutes": 5, "minutes": 5.0, "test": HOSTILE}
    entries = [draft | {"seed": seed, "PER": 30.0 + seed, "WER": 60.0} for seed in (0, 1)]
    (folder / "sweep.json").write_text(json.dumps(entries))
    page = report.parents[2] / "several.html"
    return write_several([report.parent, hostile.parent, folder], page)


@pytest.mark.parametrize("width", [1280, 400])
def test_several_experiments_and_a_sweep_are_on_one_page(several, open_page, width):
    page = open_page(several, width=width)
    for figure in ("rates", "sweep"):
        chart = page.locator(f"figure.chart[data-chart={figure}]")
        chart.scroll_into_view_if_needed()
        chart.locator(".plot svg").first.wait_for()
    assert page.locator("#answers article").count() == 2
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.title() != "taken" and page.locator("#answers a").count() == 2


def test_text_of_a_corpus_stays_text(hostile, open_page):
    page = open_page(hostile)
    page.locator("#search").fill("onerror")
    assert column(page, "reference") == [HOSTILE]
    page.locator("#utterance-table .open").first.click()
    page.locator("dialog .changes").wait_for()
    assert page.locator("dialog h3").inner_text() == NAME
    assert "</td>boris" in page.locator("dialog .facts").inner_text()
    assert page.locator("main img, dialog img, dialog svg[onload]").count() == 0
    assert page.title() == "small: report"


def test_the_scripts_are_those_of_the_registry():
    """The digests beside them are those of the files in the packages of npm."""
    import hashlib

    (licence,) = [path for path in files() if path.name == "LICENCE"]
    for script in licence.parent.glob("*.js"):
        digest = hashlib.sha256(script.read_bytes()).hexdigest()
        assert f"{digest}  {script.name}\n" in licence.read_text(encoding="utf-8")


def test_json_in_a_script_cannot_end_it():
    assert "<" not in embedded({"</script>": ["<!--", "<script>"]})
