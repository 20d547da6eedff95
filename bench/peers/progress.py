"""What a measurement that takes hours has done so far, so that one that was stopped can go on."""

import hashlib
import pathlib
import pickle
import platform

import place
import report
import systems

HERE = pathlib.Path(__file__).resolve().parent


class Stale(Exception):
    """What was kept is of another measurement, or cannot be read; the text says which."""


def _digest(files):
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def about(chosen):
    """What has to be the same for runs to stand beside each other."""
    named = ("events", "seed", "systems", "seconds", "alert_minutes", "alert_rate")
    return {
        **{name: getattr(chosen, name) for name in named},
        "program": _digest([place.TILLWATCH]),
        "definitions": _digest(sorted(place.DEFINITIONS.glob("*.yaml"))),
        "statements": _digest(sorted((HERE / "systems").rglob("*.py")) + sorted(HERE.glob("*.py"))),
        "versions": {name: systems.load(name).version() for name in chosen.systems},
        "machine": (platform.node(), report.machine()),
    }


class Progress:
    """Rows, failures and how busy others were, by question; in a file, where one is given.

    The file is Python's own (pickle), and like a program only to be read from a place one trusts."""

    def __init__(self, chosen):
        self._path = chosen.resume
        self.floor, self.rows, self.failures, self.loads, self.taken = {}, {}, {}, {}, {}
        if not self._path:
            return
        self._about = about(chosen)
        if self._path.exists():
            self._read()
        # Whoever names a place that cannot be written to knows it now and not after an hour.
        self.keep()

    def _read(self):
        try:
            kept_about, kept = pickle.loads(self._path.read_bytes())
        except Exception as fault:
            raise Stale(f"{self._path} cannot be read ({fault}); remove it to begin anew") from fault
        differs = [name for name in self._about if kept_about.get(name) != self._about[name]]
        if differs:
            raise Stale(f"{self._path} is of another measurement: {', '.join(differs)} differ; remove it to begin anew")
        try:
            self.floor, self.rows, self.failures, self.loads, self.taken = pickle.loads(kept)
        except Exception as fault:
            raise Stale(f"{self._path} cannot be read ({fault}); remove it to begin anew") from fault

    def turn_ended(self, question, turn, others):
        """Notes that a system was asked, and how many processors others kept busy before."""
        self.taken.setdefault(question, set()).add(turn)
        self.loads.setdefault(question, []).append(others)
        self.keep()

    def keep(self):
        """Writes all to the file, whole or not at all."""
        if self._path:
            unfinished = self._path.with_name(self._path.name + ".unfinished")
            kept = pickle.dumps((self.floor, self.rows, self.failures, self.loads, self.taken))
            unfinished.write_bytes(pickle.dumps((self._about, kept)))
            unfinished.rename(self._path)
