"""Where the checkout is: every path of the project itself starts here."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "recipes"
LOCAL = ROOT / "local"
