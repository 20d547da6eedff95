"""Where things are: the checkout, what was installed, where runs may write."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "peers"
VENV = CACHE / "venv"
PYTHON = VENV / "bin" / "python"
DEFINITIONS = ROOT / "bench" / "definitions"
RESULTS = ROOT / "bench" / "RESULTS.md"
TILLWATCH = pathlib.Path(os.environ.get("TILLWATCH_BIN", ROOT / "target" / "release" / "tillwatch"))


def packages():
    """The folder that pip installs into."""
    return next((VENV / "lib").glob("python3.*")) / "site-packages"
