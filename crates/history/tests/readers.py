"""Reads a Delta table as it lies, with DuckDB, and prints what is in it as JSON.

The log is replayed by its published rules: the last checkpoint, and the commits behind it.
"""

import json
import pathlib
import sys

import duckdb

table = pathlib.Path(sys.argv[1])
log = table / "_delta_log"
con = duckdb.connect()
con.execute("set timezone = 'UTC'")
files, transactions, protocol, since = set(), {}, None, -1

hint = log / "_last_checkpoint"
if hint.exists():
    since = json.loads(hint.read_text())["version"]
    checkpoint = str(log / f"{since:020}.checkpoint.parquet")
    rows = con.execute('select "add".path, txn.appId, txn.version, protocol.minReaderVersion from read_parquet(?)', [checkpoint])
    for path, app, version, reader in rows.fetchall():
        if path:
            files.add(path)
        if app:
            transactions[app] = version
        protocol = reader or protocol

for commit in sorted(log.glob("*.json")):
    if int(commit.stem) <= since:
        continue
    for line in commit.read_text().splitlines():
        action = json.loads(line)
        if "add" in action:
            files.add(action["add"]["path"])
        if "remove" in action:
            files.discard(action["remove"]["path"])
        if "txn" in action:
            transactions[action["txn"]["appId"]] = action["txn"]["version"]
        if "protocol" in action:
            protocol = action["protocol"]["minReaderVersion"]

paths = [str(table / path) for path in sorted(files)]
source = "read_parquet(?, hive_partitioning = true, union_by_name = true)"
total = con.execute(f"select count(*), sum(number), count(psp), epoch_us(min(\"at\")), epoch_us(max(\"at\")) from {source}", [paths]).fetchone()
days = con.execute(f"select cast(_day as varchar), count(*) from {source} group by 1 order by 1", [paths]).fetchall()
astray = con.execute(f"select count(*) from {source} where cast(\"at\" as date) <> cast(_day as date)", [paths]).fetchone()[0]
answer = {
    "protocol": protocol,
    "transactions": transactions,
    "rows": total[0],
    "sum": int(total[1]),
    "texts": total[2],
    "min_us": total[3],
    "max_us": total[4],
    "days": dict(days),
    "astray": astray,
}
print(json.dumps(answer))
