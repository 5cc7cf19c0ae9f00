"""MkDocs hooks: files outside of ``docs/`` become part of the site.

These are the recipes with their results and pictures, and CHANGELOG.md. Links to them work on the
site and in a file browser.
"""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = ("CHANGELOG.md", "recipes/*/*.md", "recipes/*/*.svg", "recipes/*/recipe.yaml")

# A heading with an anchor that a file browser knows; the site gives the heading that name.
ANCHOR = re.compile(r'^(#+ )<a id="([^"]+)"></a>(.*)$', re.MULTILINE)
LINK = re.compile(r"(\]\()([^)\s#:]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the files outside of ``docs/``."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links that leave ``docs/``, and anchors into names of headings."""
    if page.file.src_uri.startswith("recipes/"):
        page.meta["search"] = {"boost": 0.3}  # figures come after what explains them
    markdown = ANCHOR.sub(r"\1\3 { #\2 }", markdown)
    folder = Path(config.docs_dir, page.file.src_uri).parent
    return LINK.sub(lambda match: match[1] + site_link(match[2], folder, config.docs_dir), markdown)


def site_link(link: str, folder: Path, docs: str) -> str:
    """A link from a page in ``folder``, as the site has it.

    >>> site_link("../../recipes/ru_en_pair/SWEEP.md", Path("/p/docs/evidence"), "/p/docs")
    '../recipes/ru_en_pair/SWEEP.md'
    """
    target = os.path.normpath(folder / link)
    if target.startswith(os.path.join(docs, "")):
        return link
    inside = os.path.join(docs, os.path.relpath(target, Path(docs).parent))
    return os.path.relpath(inside, folder)
