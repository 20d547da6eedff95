"""What this machine needs at least: decoding the file alone, and writing its bytes durably alone."""

import os
import re
import sys

import measure
import place

GROUP_BYTES = 1 << 20

WRITE = """
import os, sys
source, target = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
before, began = os.times(), os.times().elapsed
while piece := os.read(source, int(sys.argv[3])):
    os.write(target, piece)
    os.fdatasync(target)
after = os.times()
print(after.user + after.system - before.user - before.system, after.elapsed - began)
"""


def measure_all(workload, runs, folder):
    """By name: events per CPU second and per second, of each run."""
    decode, write = [], []
    for _ in range(runs):
        command = [place.TILLWATCH, "bench", "decode", workload.file, "--stream", "payments"]
        output, cost = measure.run([*command, "--config", place.DEFINITIONS])
        cpu_s = float(re.search(r"in ([\d.]+) CPU seconds", output).group(1))
        decode.append((workload.events / max(cpu_s, 0.01), workload.events / cost.wall_s))
        target = folder / "written"
        output, _ = measure.run([sys.executable, "-c", WRITE, workload.file, target, GROUP_BYTES])
        cpu_s, wall_s = map(float, output.split())
        write.append((workload.events / max(cpu_s, 0.01), workload.events / max(wall_s, 0.01)))
        os.unlink(target)
    return {
        "decode only: Tillwatch's own decoder, one thread, nothing kept": decode,
        "write only: the file's bytes, `fdatasync` after each MiB": write,
    }
