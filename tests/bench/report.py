"""Measures the report of an experiment with many test utterances; see report.sh.

The experiment is that of `scored_files`: two systems, errors drawn by chance, 200 recordings of
5 s that the utterances have in turn. Opening is from the address to a table that can be sorted.
Fails if a page takes more than `OPEN_S` to open or has more than `MB` megabytes.
"""

import argparse
import contextlib
import copy
import io
import json
import sys
import tempfile
import time
from pathlib import Path

from browser import chromium
from playwright.sync_api import sync_playwright
from scored_files import scored
from support import SMALL

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.html.build import write_report

OPEN_S, MB = 3.0, 15.0
RECORDINGS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, nargs="+", default=[2000, 25670])
    failed = False
    for count in parser.parse_args().utterances:
        with tempfile.TemporaryDirectory() as folder:
            mb, seconds, open_s, left_out = measured(Path(folder), count)
        for sentence in left_out:
            print(sentence)
        print(f"mb={mb:.1f} seconds={seconds:.1f} open_s={open_s:.1f} rows={count}", flush=True)
        failed |= open_s > OPEN_S or mb > MB
    sys.exit(failed)


def measured(folder: Path, count: int) -> tuple[float, float, float, list[str]]:
    """Return megabytes, seconds to write, seconds to open, and what the page says it lacks."""
    file = folder / "recipe.json"
    file.write_text(json.dumps(copy.deepcopy(SMALL)), encoding="utf-8")
    layout = Layout(folder / "small", folder / "downloads", folder / "data")
    experiment = Experiment(read_recipe(file), layout)
    with contextlib.redirect_stdout(io.StringIO()):
        scored(experiment, count, [f"s{i:03d}" for i in range(100)], None, 5.0, RECORDINGS)
    started = time.perf_counter()
    write_report(experiment)
    seconds = time.perf_counter() - started
    program, environment = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, env=environment or None, args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto("about:blank")
        started = time.perf_counter()
        page.goto(layout.report.as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-ready]", state="attached")
        open_s = time.perf_counter() - started
        said = page.locator("#utterances > p.note").all_inner_texts()
        rows = page.locator("#matches").inner_text()
        assert rows.startswith(f"{count:,} of {count:,} utterances"), rows
        browser.close()
    left_out = [
        sentence for sentence in said if "are in this file" in sentence or "is in this" in sentence
    ]
    return layout.report.stat().st_size / 1e6, seconds, open_s, left_out


if __name__ == "__main__":
    main()
