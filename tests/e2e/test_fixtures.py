"""Data folders of every released format: they start, give the figures they gave then, and are sound."""

import json
import pathlib
import shutil

import pytest

from fixture import event, expected
from harness import Server, run

FIXTURES = sorted((pathlib.Path(__file__).parents[1] / "fixtures").glob("data-v*"))


def test_there_are_fixtures():
    assert [folder.name for folder in FIXTURES][:1] == ["data-v1"]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda folder: folder.name)
def test_a_folder_of_a_released_format_gives_the_figures_of_then(fixture, tmp_path):
    folder = tmp_path / "fixture"
    shutil.copytree(fixture, folder)
    wanted = json.loads((folder / "expected.json").read_text())
    server = Server(folder / "definitions", folder / "data")
    try:
        server.start()
        found = json.loads(json.dumps(expected(server)))
        assert found == wanted
        # It goes on from there: what it has is known, what is new is taken.
        answer = server.post("orders", [event(5), event(610), event(700)]).json()
        assert (answer["accepted"], answer["duplicates"]) == (1, 2), answer
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.kill()
    report = run("verify", "--config", folder / "definitions", "--data", folder / "data", "--all", "--json")
    assert json.loads(report.stdout)["ok"], report.stdout
