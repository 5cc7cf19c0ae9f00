"""MkDocs hooks: the pages that are generated from the code, and the files outside of ``docs/``.

A line ``<!-- generated: NAME -->`` in a page becomes what ``generated.PAGES[NAME]`` returns.
Results of recipes, their pictures and CHANGELOG.md become part of the site, and links to them keep
working both here and in a file browser.
"""

import os
import re
from pathlib import Path

import generated
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = ("CHANGELOG.md", "recipes/*/*.md", "recipes/*/*.svg")

PLACE = re.compile(r"^<!-- generated: ([a-z_]+) -->$", re.MULTILINE)
LINK = re.compile(r"(\]\()([^)\s#:]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the files outside of ``docs/``."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fills in what is generated, and turns links that leave ``docs/``."""
    if page.file.src_uri.startswith("recipes/"):
        page.meta["search"] = {"boost": 0.3}  # figures come after what explains them
    filled = PLACE.sub(lambda match: generated.PAGES[match[1]](), markdown)
    folder = Path(config.docs_dir, page.file.src_uri).parent
    return LINK.sub(lambda match: match[1] + site_link(match[2], folder, config.docs_dir), filled)


def site_link(link: str, folder: Path, docs: str) -> str:
    """A link from a page in ``folder``, as the site has it.

    >>> site_link("../../recipes/ru_en/SWEEP.md", Path("/p/docs/evidence"), "/p/docs")
    '../recipes/ru_en/SWEEP.md'
    """
    target = os.path.normpath(folder / link)
    if target.startswith(os.path.join(docs, "")):
        return link
    inside = os.path.join(docs, os.path.relpath(target, Path(docs).parent))
    return os.path.relpath(inside, folder)
