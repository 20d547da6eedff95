"""Fixtures of the torture suite: the harness of the end-to-end tests, a seed, and totals at the end."""

import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import BINARY, Server  # noqa: E402
from oracle import Totals  # noqa: E402

TOTALS = Totals()


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: run `make build`, or set TILLWATCH_BIN")


@pytest.fixture(scope="session")
def totals():
    """What all tests together came to."""
    return TOTALS


@pytest.fixture
def seed(request):
    """The seed of a random test; TILLWATCH_SEED reruns a failure."""
    value = int(os.environ.get("TILLWATCH_SEED", random.SystemRandom().randrange(2**32)))
    TOTALS.seeds.append((request.node.name, value))
    print(f"seed {value} (TILLWATCH_SEED={value} runs this again)")
    return value


@pytest.fixture
def serving(tmp_path):
    """Makes servers, which are killed when the test ends."""
    servers = []

    def make(definitions, data, config=None, **kwargs):
        config = config or tmp_path / "definitions"
        config.mkdir(exist_ok=True)
        (config / "test.yaml").write_text(definitions)
        server = Server(config, data, **kwargs)
        servers.append(server)
        return server

    yield make
    for server in servers:
        if server.process and server.process.poll() is None:
            server.kill()


def pytest_terminal_summary(terminalreporter):
    for name, seed in TOTALS.seeds:
        terminalreporter.write_line(f"torture: {name}: seed {seed}")
    terminalreporter.write_line(f"torture: {TOTALS}")
