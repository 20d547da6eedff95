"""kill -9 of the real binary, again and again, with clients that send again and an oracle that recounts.

`TILLWATCH_KILLS` says how many kills, 60 without it. After each of them, and after each stop, every event that was
acknowledged is there once, every other one once or not at all, money is right to the cent, and every figure of every
cube is what SQL computes from the raw events.
"""

import itertools
import os
import random
import signal
import subprocess
import time

from clients import Crowd
from harness import run, until
from oracle import Oracle
from traffic import definitions

KILLS = int(os.environ.get("TILLWATCH_KILLS", "60"))
# A fresh data folder after so many, since each check looks at all that was ever sent to one.
KILLS_PER_FOLDER = 20


class Torture:
    """One data folder and what is done to it."""

    def __init__(self, server, seed, totals):
        self.server = server
        self.rng = random.Random(seed)
        self.totals = totals
        self.oracle = Oracle(totals)
        self.crowd = Crowd(seed, self.oracle, itertools.count(1))
        self.touched = False
        self.kills = 0

    def run(self, kills):
        self.server.start()
        while self.kills < kills:
            before = self.crowd.acknowledged
            self.crowd.begin(self.server.port)
            accident = self.rng.choice(
                [self.kill_while_sending] * 5 + [self.kill_while_stopping, self.stop, self.reload]
            )
            # Mostly in the middle of the traffic, sometimes before anything was answered.
            if self.rng.random() < 0.8:
                until(
                    lambda: self.crowd.acknowledged > before
                    or not any(thread.is_alive() for thread in self.crowd.threads),
                    "a client is answered",
                )
            accident()
            if self.rng.random() < 0.3:
                self.kill_while_starting()
            if self.rng.random() < 0.2:
                self.touch()
            self.server.start()
            if self.rng.random() < 0.1:
                self.second()
            self.oracle.check(self.server, self.touched)
        self.crowd.settle(self.server.port)
        self.oracle.check_every_event(self.server)
        assert self.server.stop() == 0
        self.server.start()
        self.oracle.check(self.server, self.touched)

    def pause(self, up_to_s):
        """The moment of an accident: any, by seed. Nothing is waited for."""
        time.sleep(self.rng.uniform(0, up_to_s))

    def kill(self, when):
        self.server.kill()
        self.kills += 1
        self.totals.add("kills")
        self.totals.add(f"kills while {when}")

    def kill_while_sending(self):
        self.pause(0.5)
        self.kill("sending")
        self.crowd.end()

    def kill_while_starting(self):
        for _ in range(self.rng.randrange(1, 4)):
            self.server.spawn()
            self.pause(0.25)
            self.kill("starting")

    def kill_while_stopping(self):
        self.pause(0.3)
        self.server.process.send_signal(signal.SIGTERM)
        self.pause(0.05)
        if self.server.process.poll() is None:
            self.kill("stopping")
        else:
            self.totals.add("stops")
        self.crowd.end()

    def stop(self):
        self.pause(0.3)
        self.server.process.send_signal(self.rng.choice([signal.SIGTERM, signal.SIGINT]))
        try:
            code = self.server.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            raise AssertionError("it does not stop") from None
        assert code == 0, f"stopped with {code}:\n{''.join(self.server.output[-20:])}"
        self.totals.add("stops")
        self.crowd.end()

    def reload(self):
        """Changed definitions come into force under traffic; then the plug is pulled all the same."""
        self.pause(0.1)
        self.touch()
        self.pause(1.0)
        self.kill("sending")
        self.crowd.end()

    def second(self):
        """Another server on the same data, which must be refused and must harm nothing."""
        config, data = self.server.config, self.server.data
        refused = run("serve", "--config", config, "--data", data, "--listen", "127.0.0.1:0", check=False)
        assert refused.returncode == 1 and "is in use by process" in refused.stderr, refused.stderr
        self.totals.add("second servers refused")

    def touch(self):
        self.touched = not self.touched
        file = self.server.config / "test.yaml"
        file.with_suffix(".next").write_text(definitions(self.touched))
        file.with_suffix(".next").rename(file)
        self.totals.add("reloads")


def test_nothing_is_lost_or_doubled_however_often_the_plug_is_pulled(serving, seed, totals, tmp_path):
    print(f"seed {seed}: {KILLS} kills")
    left = KILLS
    for folder in itertools.count():
        server = serving(definitions(False), tmp_path / f"data-{folder}")
        torture = Torture(server, f"{seed}-{folder}", totals)
        try:
            torture.run(min(left, KILLS_PER_FOLDER))
        except BaseException:
            print(f"folder {folder} after {torture.kills} kills; {totals}")
            raise
        server.kill()
        left -= torture.kills
        if left <= 0:
            break
    print(totals)
