"""Fixtures: a folder with definitions and a server on it."""

import os
import random

import pytest

from harness import BINARY, Server


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: run `make build`, or set TILLWATCH_BIN")


@pytest.fixture
def seed():
    """The seed of a random test; TILLWATCH_SEED reruns a failure."""
    value = int(os.environ.get("TILLWATCH_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {value} (TILLWATCH_SEED={value} runs this again)")
    return value


@pytest.fixture
def start(tmp_path):
    """Starts servers that are stopped when the test ends."""
    servers = []

    def begin(definitions, *extra, data="data", ready=True, env=None, **kwargs):
        config = tmp_path / "definitions"
        config.mkdir(exist_ok=True)
        (config / "test.yaml").write_text(definitions)
        server = Server(config, tmp_path / data, *extra, env=env, **kwargs)
        servers.append(server)
        return server.start(ready)

    yield begin
    for server in servers:
        if server.process and server.process.poll() is None:
            server.kill()
