"""The file that all systems read, and what is true of it."""

import dataclasses
import pathlib
import subprocess

import duckdb

import place

# The columns of a line, as DuckDB reads them.
COLUMNS = {
    "event_id": "VARCHAR",
    "occurred_at": "TIMESTAMP",
    "payment_id": "VARCHAR",
    "merchant_id": "VARCHAR",
    "customer_id": "VARCHAR",
    "amount": "DECIMAL(18,2)",
    "currency": "VARCHAR",
    "method": "VARCHAR",
    "status": "VARCHAR",
    "decline_code": "VARCHAR",
    "psp": "VARCHAR",
    "issuer": "VARCHAR",
    "country": "VARCHAR",
    "latency_ms": "BIGINT",
}


@dataclasses.dataclass
class Workload:
    """A file of workload W."""

    file: pathlib.Path
    events: int
    seed: int
    span: str

    @property
    def bytes(self):
        return self.file.stat().st_size


def source(file):
    """The file as a table of DuckDB."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    return f"read_json('{file}', format='newline_delimited', columns={{{columns}}})"


def write(file, events, seed, span, start=None):
    """Writes a file of the workload, of now or of another time."""
    command = [place.TILLWATCH, "bench", "workload", "--events", events, "--seed", seed, "--span", span, "--out", file]
    command += ["--from", start] if start else []
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def make(events, seed, span, folder=None):
    """Writes the file, unless it is there from a run before."""
    folder = folder or place.CACHE / "workload"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"w-{events}-{seed}-{span}.ndjson"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        write(unfinished, events, seed, span)
        unfinished.rename(file)
    return Workload(file, events, seed, span)


def truth(workload, question):
    """The right answer as a Parquet file: `question` over the events, each counted once."""
    answer = workload.file.with_suffix(f".{question.name}.parquet")
    if not answer.exists():
        unfinished = answer.with_suffix(".unfinished")
        with duckdb.connect() as db:
            db.execute("set preserve_insertion_order = false")
            db.execute(f"set temp_directory = '{workload.file.parent / 'spilled'}'")
            db.execute(
                f"create view events as select distinct on (event_id) * from {source(workload.file)}"
            )
            db.execute(f"copy ({question.truth}) to '{unfinished}' (format parquet)")
        unfinished.rename(answer)
    return answer
