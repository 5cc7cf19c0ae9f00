"""The page: templates, styles and scripts in one file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent / "page"
STYLE = "style.css"
SCRIPTS = (
    "vendor/d3.min.js",
    "vendor/plot.min.js",
    "charts.js",
    "tables.js",
    "alignment.js",
    "utterances.js",
)


def files() -> list[Path]:
    """Return all that the page is made of, beside the code: a change of it makes a new page."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file())


def render(template: str, values: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Return a page; ``figures`` are what its charts show. Text in ``values`` is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = embedded
    return environment.get_template(template).render(
        **values,
        figures=figures,
        style=Markup(_text(STYLE)),
        scripts=[Markup(script) for script in _scripts()],
    )


def embedded(value: Any) -> Markup:
    r"""Return JSON that can be inside of a script element, whatever text it has.

    >>> embedded({"text": "</script>"})
    Markup('{"text":"\\u003c/script>"}')
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _scripts() -> Iterator[str]:
    yield from map(_text, SCRIPTS)


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
