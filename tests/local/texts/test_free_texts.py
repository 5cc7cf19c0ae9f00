import shutil
import subprocess

import pytest
from support import catalogue_of

from cascade.config.layout import Layout
from cascade.corpora.corpus import CorpusRequest
from cascade.inventory.phone_counts import SENTENCES, candidate_inventory
from cascade.runtime.errors import UserError
from local.helpers import debian
from local.texts import free_texts, wesnoth

MANY = 4_000
TEXTS = {"female^Go! Now.": "{0} ano! {0} ne.", "Costs $price": "{0} $price"}


@pytest.fixture
def request_(tmp_path, monkeypatch) -> CorpusRequest:
    """A package of the real form, with three translations in it."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("there is no dpkg-deb")
    root = tmp_path / "package"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: wesnoth-1.16-x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n"
    )
    for locale in ("ru", "cs", "pt_BR", "sk"):
        path = root / wesnoth.LOCALES / locale / "LC_MESSAGES" / "x.mo"
        path.parent.mkdir(parents=True)
        texts = {
            text: translation.format(locale.replace("_", " "))
            for text, translation in TEXTS.items()
        }
        if locale == "sk":
            texts = {f"text {n}": "áno nie" if n % 3 else "áno" for n in range(MANY)}
        path.write_bytes(catalogue_of(texts))
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    file = downloads / "wesnoth-1.16-x_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", root, file], check=True, capture_output=True)
    package = debian.Package("wesnoth-1.16-x", "1", {"all": digest(file)})
    monkeypatch.setattr(wesnoth, "PACKAGES", (package,))
    return CorpusRequest(downloads, tmp_path / "data")


def digest(file) -> str:
    return subprocess.run(["sha256sum", file], capture_output=True, text=True).stdout.split()[0]


@pytest.mark.parametrize(
    ("voice", "sentences"),
    [
        ("en-us", ["Go!", "Now."]),  # without the translator's hint; nobody reads '$price' aloud
        ("ru", ["ru ano!", "ru ne."]),
        ("cs", ["cs ano!", "cs ne."]),
        ("pt-br", ["pt BR ano!", "pt BR ne."]),
        ("xx", []),
    ],
)
def test_sentences_by_voice(request_, voice, sentences):
    assert list(free_texts.sentences(request_, voice)) == sentences


def test_packages_are_unpacked_once_for_all_languages(request_):
    list(free_texts.sentences(request_, "cs"))
    shutil.rmtree(request_.downloads)
    assert list(free_texts.sentences(request_, "cs")) == ["cs ano!", "cs ne."]


def test_a_candidates_text_is_sampled_evenly(request_, tmp_path):
    layout = Layout(tmp_path / "exp", request_.downloads, request_.data)
    inventory = candidate_inventory("sk", None, layout)
    assert MANY == 2 * SENTENCES
    assert inventory.source == f"free texts, {round(SENTENCES * 5 / 3)} words by espeak-ng"
    with pytest.raises(UserError, match=r"no free text in 'fi'\. Give a text: --with fi=FILE"):
        candidate_inventory("fi", None, layout)
