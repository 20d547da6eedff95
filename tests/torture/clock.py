"""Another clock for a server: libfaketime, whose file says how far ahead of ours it is."""

import datetime
import glob
import time

LIBRARIES = sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))


class Clock:
    """A clock that goes on like ours, so many seconds ahead."""

    def __init__(self, folder):
        assert LIBRARIES, "libfaketime is not there: run scripts/tools.sh faketime"
        self.file = folder / "clock"
        self.ahead_s = 0
        self.set(0)

    def wrapper(self, timezone="UTC"):
        """What a server is started with."""
        return [
            "env",
            f"LD_PRELOAD={LIBRARIES[-1]}",
            f"FAKETIME_TIMESTAMP_FILE={self.file}",
            "FAKETIME_NO_CACHE=1",
            # What waits for a time span shall not wait for the jump.
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            f"TZ={timezone}",
        ]

    def set(self, ahead_s):
        """At once, also for a server that runs."""
        self.ahead_s = ahead_s
        following = self.file.with_suffix(".next")
        following.write_text(f"{ahead_s:+.3f}\n")
        following.rename(self.file)

    def set_to(self, text):
        """To a moment such as 2026-03-29T01:59:30+01:00."""
        self.set(datetime.datetime.fromisoformat(text).timestamp() - time.time())

    def jump(self, by_s):
        self.set(self.ahead_s + by_s)

    def now(self):
        return datetime.datetime.fromtimestamp(time.time() + self.ahead_s, datetime.timezone.utc)
