"""The folders of the project: every other path in it is found from here."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "recipes"
LOCAL = ROOT / "local"
