"""Apache Flink SQL: a streaming job on a cluster of one job manager and one task manager, both on loopback.

The Python package holds the distribution without its start scripts, so the processes are started here, with the memory
settings and the options for Java that those would compute.
"""

import contextlib
import importlib.metadata
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

import measure
import place
from systems import NotExpressible, Run

name = "Apache Flink"
promises = (
    "a checkpoint of all state every minute on the local disk (heap state, full snapshots), after a failure the file is read again from there (exactly once into the files it writes), "
    "single events are not durable; an event later than the watermark's delay is dropped without a trace in the answer; repeated ids count twice unless the job keeps all ids, "
    "each for as long as its state may live"
)

remark = (
    "its code is compiled while it runs, which took some 20 CPU seconds of each run, as a run over 200 000 events showed; so with few events the figure is far below what it is with many, "
    "and only runs over some tens of millions tell what it does all day"
)

# What flink-conf of the distribution gives Java 17.
OPENED = (
    "java.base/java.lang java.base/java.net java.base/java.io java.base/java.nio java.base/sun.nio.ch java.base/java.lang.reflect java.base/java.text "
    "java.base/java.time java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic java.base/java.util.concurrent.locks"
).split()
EXPORTED = (
    "java.rmi/sun.rmi.registry jdk.compiler/com.sun.tools.javac.api jdk.compiler/com.sun.tools.javac.file jdk.compiler/com.sun.tools.javac.parser "
    "jdk.compiler/com.sun.tools.javac.tree jdk.compiler/com.sun.tools.javac.util java.security.jgss/sun.security.krb5"
).split()
JAVA_OPTIONS = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
JAVA_OPTIONS += [f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTED]
# All ids of a day and half an hour of windows have to fit, and the files' pages beside them.
TASK_HEAP_MIB = min(16_384, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 2 // 3 // 2**20)
TASK_MEMORY = {
    "taskmanager.cpu.cores": "2.0",
    "taskmanager.memory.framework.heap.size": "128mb",
    "taskmanager.memory.framework.off-heap.size": "128mb",
    "taskmanager.memory.task.heap.size": f"{TASK_HEAP_MIB - 128}mb",
    "taskmanager.memory.task.off-heap.size": "0b",
    "taskmanager.memory.managed.size": "512mb",
    "taskmanager.memory.network.min": "128mb",
    "taskmanager.memory.network.max": "128mb",
    "taskmanager.memory.jvm-metaspace.size": "256mb",
    "taskmanager.memory.jvm-overhead.min": "256mb",
    "taskmanager.memory.jvm-overhead.max": "256mb",
}
DEADLINE_S = 4 * 3600

LINES = """
create temporary table lines (
  event_id string, occurred_at timestamp_ltz(3), merchant_id string, customer_id string, amount decimal(18, 2), currency string,
  `method` string, status string, latency_ms bigint{more},
  watermark for occurred_at as occurred_at - interval '{delay}' minute
) with (
  'connector' = 'filesystem', 'path' = 'file://{file}', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601'
);
"""
ANSWER = """
create temporary table answer (
  `minute` timestamp(3), merchant_id string, `method` string, status string, n bigint, volume decimal(38, 2), currency_first string, currency_last string,
  customers bigint, p95 double
) with ('connector' = 'filesystem', 'path' = 'file://{answer}', 'format' = 'csv', 'sink.rolling-policy.file-size' = '1GB');
"""
INSERT = """
insert into answer
select cast(window_start as timestamp(3)), merchant_id, `method`, status, count(*), sum(amount), min(currency), max(currency),
       count(distinct customer_id), cast(percentile(latency_ms, 0.95) as double)
from table(tumble(table {source}, descriptor(occurred_at), interval '1' minute))
group by window_start, window_end, merchant_id, `method`, status;
"""
WINDOWS_ANSWER = """
create temporary table answer (ends_at timestamp(3), merchant_id string, n bigint, declined bigint)
with ('connector' = 'filesystem', 'path' = 'file://{answer}', 'format' = 'csv', 'sink.rolling-policy.file-size' = '1GB');
"""
WINDOWS = """
insert into answer
select cast(window_end as timestamp(3)), merchant_id, count(*), count(*) filter (where status = 'declined')
from table(hop(table {source}, descriptor(occurred_at), interval '10' second, interval '5' minute))
group by window_start, window_end, merchant_id
having count(*) >= 30 and count(*) filter (where status = 'declined') > 0.4 * count(*);
"""
# The first row of each id. By processing time, for a row that is taken is then never taken back.
ONCE = """
create temporary view once as
select event_id, occurred_at, merchant_id, customer_id, amount, currency, `method`, status, latency_ms
from (select *, row_number() over (partition by event_id order by arrived asc) as place_of_id from lines) where place_of_id = 1;
"""
SETTINGS = """
set 'execution.runtime-mode' = 'streaming';
set 'execution.checkpointing.interval' = '60 s';
set 'table.local-time-zone' = 'UTC';
set 'parallelism.default' = '{parallelism}';
set 'table.exec.state.ttl' = '24 h';
set 'table.dml-sync' = 'true';
"""


def version():
    # Nobody can install two of them into the environment that this runs in.
    return importlib.metadata.version("apache-flink-libraries")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A job manager and a task manager with two slots, both fresh."""

    def __init__(self, folder):
        self.home = place.packages() / "pyflink"
        self.folder = folder
        self.port = _free_port()
        config = folder / "conf"
        config.mkdir(parents=True)
        (config / "config.yaml").write_text(
            f"jobmanager.rpc.address: 127.0.0.1\njobmanager.rpc.port: {_free_port()}\njobmanager.bind-host: 127.0.0.1\n"
            f"rest.address: 127.0.0.1\nrest.bind-address: 127.0.0.1\nrest.port: {self.port}\n"
            "taskmanager.host: 127.0.0.1\ntaskmanager.bind-host: 127.0.0.1\ntaskmanager.numberOfTaskSlots: 2\n"
            f"jobmanager.memory.process.size: 1024m\nexecution.checkpointing.dir: file://{folder}/checkpoints\nio.tmp.dirs: {folder}/tmp\n"
            "state.backend.type: hashmap\n"
        )
        (folder / "tmp").mkdir()
        (config / "log4j.properties").write_text(
            "rootLogger.level = WARN\nrootLogger.appenderRef.out.ref = Out\nappender.out.name = Out\nappender.out.type = CONSOLE\n"
            "appender.out.layout.type = PatternLayout\nappender.out.layout.pattern = %d %p %c %m%n\n"
        )
        self.config = config
        self.processes = []

    def _java(self, heap_mib):
        jars = sorted(self.home.glob("lib/*.jar"))
        options = [f"-Xmx{heap_mib}m", f"-Dlog4j.configurationFile={self.config}/log4j.properties", *JAVA_OPTIONS]
        return ["java", *options, "-cp", ":".join(map(str, jars))]

    def _start(self, log, *command):
        with (self.folder / log).open("w") as out:
            environment = os.environ | {"FLINK_CONF_DIR": str(self.config), "FLINK_PLUGINS_DIR": str(self.home / "plugins")}
            process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT, env=environment)
        self.processes.append(process)

    def __enter__(self):
        try:
            package = "org.apache.flink.runtime"
            self._start("job.log", *self._java(768), f"{package}.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", self.config)
            settings = [word for key, value in TASK_MEMORY.items() for word in ("-D", f"{key}={value}")]
            self._start("task.log", *self._java(TASK_HEAP_MIB), f"{package}.taskexecutor.TaskManagerRunner", "--configDir", self.config, *settings)
            end = time.monotonic() + 120
            while self._overview().get("slots-available") != 2:
                if time.monotonic() > end or any(process.poll() is not None for process in self.processes):
                    raise RuntimeError("the cluster did not start: " + self._log_tail())
                time.sleep(0.2)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log_tail(self):
        return "\n".join((self.folder / log).read_text()[-1500:] for log in ("job.log", "task.log") if (self.folder / log).exists())

    def _ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def _overview(self):
        with contextlib.suppress(OSError, ValueError):
            return self._ask("/overview")
        return {}

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    def run(self, script):
        """Runs a script to the end of its job; the client that sends it is not measured."""
        file = self.folder / "job.sql"
        file.write_text(script)
        command = [*self._java(512), place.ROOT / "bench" / "peers" / "flink" / "Submit.java", self.config, file]
        environment = os.environ | {"FLINK_CONF_DIR": str(self.config), "FLINK_HOME": str(self.home)}
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, env=environment, timeout=DEADLINE_S, stdin=subprocess.DEVNULL
        )
        (self.folder / "client.log").write_text(done.stdout + done.stderr)
        if done.returncode:
            causes = [line for line in (done.stdout + done.stderr).splitlines() if "Exception:" in line and not line.startswith("\t")]
            if any("ValidationException" in line or "SqlParserException" in line or "TableException" in line for line in causes):
                raise NotExpressible(causes[-1])
            raise RuntimeError("\n".join(causes[-3:]) or done.stderr[-2000:])
        jobs = self._ask("/jobs/overview")["jobs"]
        states = {job["state"] for job in jobs}
        if states != {"FINISHED"}:
            raise RuntimeError(f"the job is {states}: {self._log_tail()}")
        return jobs[0]


Q1_COLUMNS = {
    "minute": "TIMESTAMP",
    "merchant_id": "VARCHAR",
    "method": "VARCHAR",
    "status": "VARCHAR",
    "n": "BIGINT",
    "volume": "DECIMAL(38,2)",
    "currency_first": "VARCHAR",
    "currency_last": "VARCHAR",
    "customers": "BIGINT",
    "p95": "DOUBLE",
}
WINDOWS_COLUMNS = {"ends_at": "TIMESTAMP", "merchant_id": "VARCHAR", "n": "BIGINT", "declined": "BIGINT"}


def q1(workload, folder):
    """With the delay of a watermark that fits events out of order; and with one for all late events, each id once."""
    yield _job(workload, folder / "plain", PLAIN, ANSWER, INSERT, Q1_COLUMNS)
    yield _job(workload, folder / "once", FAITHFUL, ANSWER, INSERT, Q1_COLUMNS)


def windows(workload, folder):
    """The same two."""
    yield _job(workload, folder / "plain", PLAIN, WINDOWS_ANSWER, WINDOWS, WINDOWS_COLUMNS)
    yield _job(workload, folder / "once", FAITHFUL, WINDOWS_ANSWER, WINDOWS, WINDOWS_COLUMNS)


COLLECT = """
import duckdb, sys
duckdb.sql("set enable_progress_bar = false")
duckdb.sql(f"copy (select * from read_csv({sys.argv[1]}, header=false, columns={sys.argv[3]})) to '{sys.argv[2]}' (format parquet)")
"""
# A variant's name, how many minutes its watermark is behind, and whether each id counts once.
PLAIN = ("watermark 60 s behind, repeated ids counted", 1, False)
FAITHFUL = ("watermark 31 min behind, each id once", 31, True)


def _job(workload, folder, variant, sink, insert, columns):
    name_of_variant, delay_minutes, once = variant
    folder.mkdir()
    with Cluster(folder) as cluster:
        lines = LINES.format(file=workload.file, delay=delay_minutes, more=", arrived as proctime()" if once else "")
        # One reader, so that lines come in the order of the file, which is the order of arrival.
        script = SETTINGS.format(parallelism=1) + lines + sink.format(answer=folder / "answer")
        script += (ONCE if once else "") + insert.format(source="once" if once else "lines")
        with measure.Meter(cluster.pids) as meter:
            job = cluster.run(script)
        # By the clock, the job alone: the client takes seconds to start.
        meter.cost.wall_s = job["duration"] / 1_000
    return Run(name_of_variant, meter.cost, _collect(folder, columns))


def _collect(folder, columns):
    """The answer's files as one Parquet file."""
    files = [str(file) for file in pathlib.Path(folder / "answer").iterdir() if file.is_file() and not file.name.startswith((".", "_"))]
    answer = folder / "answer.parquet"
    # In a process of its own, so that its CPU time is nobody's.
    subprocess.run([place.PYTHON, "-c", COLLECT, json.dumps(files), answer, json.dumps(columns)], check=True)
    return answer
