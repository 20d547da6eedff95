"""What a measurement that takes hours has done so far, so that one that was stopped can go on."""

import hashlib
import pickle

import place
import report


class Stale(Exception):
    """What was kept is of another measurement; the text says which part differs."""


def about(chosen):
    """What has to be the same for runs to stand beside each other."""
    program = hashlib.sha256(place.TILLWATCH.read_bytes()).hexdigest()
    named = ("events", "seed", "systems", "seconds", "alert_minutes", "alert_rate")
    return {**{name: getattr(chosen, name) for name in named}, "program": program, "machine": report.machine()}


class Progress:
    """Rows, failures and how busy others were, by question; in a file, where one is given.

    The file is Python's own (pickle), and like a program only to be read from a place one trusts."""

    def __init__(self, about, path=None):
        self._about, self._path = about, path
        self.floor, self.rows, self.failures, self.loads, self.turns = {}, {}, {}, {}, {}
        if path and path.exists():
            kept_about, kept = pickle.loads(path.read_bytes())
            differs = [name for name in about if kept_about.get(name) != about[name]]
            if differs:
                raise Stale(f"{path} is of another measurement: {', '.join(differs)} differ; remove it to begin anew")
            self.floor, self.rows, self.failures, self.loads, self.turns = kept

    def turn_ended(self, question, others):
        """Notes that one more system was asked, and how many processors others kept busy before."""
        self.turns[question] = self.turns.get(question, 0) + 1
        self.loads.setdefault(question, []).append(others)
        self.keep()

    def keep(self):
        """Writes all to the file, whole or not at all."""
        if self._path:
            unfinished = self._path.with_suffix(".unfinished")
            kept = (self.floor, self.rows, self.failures, self.loads, self.turns)
            unfinished.write_bytes(pickle.dumps((self._about, kept)))
            unfinished.rename(self._path)
