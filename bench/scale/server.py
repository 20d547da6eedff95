"""The server under measurement: the real program on loopback, with definitions made for a point."""

import contextlib
import json
import pathlib
import subprocess
import time
import urllib.parse

import place
from systems import tillwatch

# Events wait for the flush until it is asked for, so that what taking them costs and what history costs are told apart.
WITHOUT_FLUSH = tillwatch.WITHOUT_FLUSH + "  process: {combinations_max: 4000000}\n"
AS_IT_COMES = tillwatch.LIMITS
# A monitor judges no more slices than a question may have series, a thousand where nothing else is said.
SLICES_MAX = 10_000
MANY_SLICES = WITHOUT_FLUSH.replace("query: {", f"query: {{series_max: {SLICES_MAX}, ")


class Server(tillwatch.Server):
    """One that takes files into any of its streams, and can be killed and started again."""

    def __init__(self, folder, definitions, limits=WITHOUT_FLUSH):
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "point.yaml"
        file.write_text(definitions)
        super().__init__(folder, [file], limits)

    @property
    def pid(self):
        return self.process.pid

    def take(self, files):
        """Loads files, each into the stream it is given with; all clients at the same time."""
        clients = []
        for number, (stream, file) in enumerate(files):
            command = [place.TILLWATCH, "ingest", file, "--stream", stream, "--server", self.address]
            command += ["--state", self.folder / "state" / str(number), "--quiet"]
            clients.append(
                subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            )
        outputs = [client.communicate()[0] for client in clients]
        for client, output in zip(clients, outputs, strict=True):
            if client.returncode or "rejected" in output:
                raise RuntimeError(output[-4000:])

    def status(self):
        return json.loads(self.request("GET", "/v1/status"))

    def monitors(self):
        return json.loads(self.request("GET", "/v1/monitors"))["monitors"]

    def aggregate(self):
        """Has what waits aggregated: whoever asks for counts sees every event. A series would be answered with what is kept."""
        self.status()

    def series(self, metric, begin, end):
        query = urllib.parse.urlencode({"from": begin, "to": end, "step": "1m"})
        return self.request("GET", f"/v1/metrics/{metric}?{query}")

    def kill(self):
        """As a power cut would: nothing is written down first."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def restart(self):
        """Kills it and starts it again: seconds until it is ready."""
        self.kill()
        began = time.monotonic()
        self.start()
        return time.monotonic() - began


@contextlib.contextmanager
def running(folder, definitions, limits=WITHOUT_FLUSH):
    with Server(folder, definitions, limits) as server:
        yield server
