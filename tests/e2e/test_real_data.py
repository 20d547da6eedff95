"""The tutorial's way with files as they come: proposed, ingested, queried, compared with DuckDB.

TILLWATCH_DATA names a folder with `orders/cdnow.txt` and `shipments/scms_delivery_history.csv` to run on the real files;
without it, small files with the same difficulties are made here.
"""

import csv
import os
import pathlib
import random

import duckdb
import pytest

from harness import Server, run

REAL = os.environ.get("TILLWATCH_DATA")


def purchases_file(folder):
    if REAL:
        return pathlib.Path(REAL) / "orders" / "cdnow.txt"
    rng = random.Random(7)
    path = folder / "purchases.txt"
    with path.open("w") as out:
        for customer in range(1, 400):
            for _ in range(rng.randrange(1, 5)):
                day = f"2021{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
                line = f" {customer:05} {day} {rng.randrange(1, 9):2} {rng.randrange(0, 20000) / 100:7.2f}\n"
                out.write(line)
                if rng.random() < 0.02:
                    # Two equal purchases are two purchases.
                    out.write(line)
    return path


def shipments_file(folder):
    if REAL:
        return pathlib.Path(REAL) / "shipments" / "scms_delivery_history.csv"
    rng = random.Random(8)
    path = folder / "shipments.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out)
        writer.writerow(
            ["ID", "PO / SO #", "Country", "Scheduled Delivery Date", "Delivered to Client Date", "PQ First Sent to Client Date",
             "Item Description", "Line Item Value", "Freight Cost (USD)"]
        )
        for number in range(1, 800):
            scheduled = rng.randrange(1, 28)
            delivered = scheduled + rng.choice([-3, 0, 0, 0, 1])
            writer.writerow(
                [number, f"SCMS-{number}", rng.choice(["Côte d'Ivoire", "Zambia", "South Africa"]),
                 f"{scheduled:02}-{rng.choice(['Jun', 'Nov'])}-06", f"{max(1, delivered):02}-Dec-06",
                 rng.choice(["Pre-PQ Process", "02-Jun-06", "Date Not Captured"]),
                 'Test, "Rapid",\n30 Tests', f"{rng.randrange(100, 10**7) / 100:.2f}",
                 rng.choice(["780.34", "Freight Included in Commodity Cost", "See ASN-93 (ID#:1281)"])]
            )
    return path


@pytest.fixture
def shop(tmp_path):
    """A server on the proposals for both files, with both loaded."""
    config = tmp_path / "shop"
    config.mkdir()
    files = {"purchases": purchases_file(tmp_path), "shipments": shipments_file(tmp_path)}
    for stream, file in files.items():
        proposed = run("propose", file, "--stream", stream)
        (config / f"{stream}.yaml").write_text(proposed.stdout)
        print(proposed.stdout)
    run("check", "--config", config)
    server = Server(config, tmp_path / "data").start()
    for stream, file in files.items():
        done = run(
            "ingest", file, "--stream", stream, "--server", f"http://127.0.0.1:{server.port}",
            "--state", tmp_path / "state", "--quiet",
        )
        print(done.stdout)
        again = run(
            "ingest", file, "--stream", stream, "--server", f"http://127.0.0.1:{server.port}",
            "--state", tmp_path / "state", "--quiet", "--restart",
        )
        print(again.stdout)
    yield server, files
    server.kill()


def test_two_files_as_they_come_give_the_figures_duckdb_computes_from_them(shop):
    server, files = shop
    oracle = duckdb.connect()
    oracle.execute(
        "create table purchases as select strptime(f[2], '%Y%m%d')::date as day, f[3]::int as units,"
        " f[4]::decimal(12,2) as amount from (select string_split_regex(trim(line), '\\s+') as f"
        f" from read_csv('{files['purchases']}', columns={{'line': 'varchar'}}, delim='\\0', header=false, quote=''))"
    )
    names = {
        field: kind
        for field, kind in server.sql(
            "select column_name, data_type from information_schema.columns where table_name = 'purchases'"
        )
    }
    day = next(name for name, kind in names.items() if "Date" in kind)
    amount = next(name for name, kind in names.items() if "Decimal" in kind)
    expected = oracle.execute("select count(*), sum(amount) from purchases").fetchone()
    assert server.sql(f"select count(*), sum({amount}) from purchases") == [[expected[0], str(expected[1])]]
    months = oracle.execute(
        "select strftime(date_trunc('month', day), '%Y-%m'), count(*), sum(amount) from purchases group by 1 order by 1"
    ).fetchall()
    mine = server.sql(
        f"select substr(cast(date_trunc('month', {day}) as varchar), 1, 7), count(*), sum({amount}) from purchases group by 1 order by 1"
    )
    assert mine == [[month, count, str(total)] for month, count, total in months]

    oracle.execute(
        f"create table shipments as select * from read_csv('{files['shipments']}', all_varchar=true, header=true, quote='\"', escape='\"')"
    )
    late = "strptime(\"Delivered to Client Date\", '%d-%b-%y') > strptime(\"Scheduled Delivery Date\", '%d-%b-%y')"
    countries = oracle.execute(
        f"select \"Country\", count(*), sum(\"Line Item Value\"::decimal(18,2)), count(*) filter (where not ({late}))"
        " from shipments group by 1 order by 1"
    ).fetchall()
    mine = server.sql(
        "select country, count(*), sum(line_item_value), count(*) filter (where delivered_to_client_date <= scheduled_delivery_date)"
        " from shipments group by 1 order by 1"
    )
    assert [[row[0], row[1], float(row[2]), row[3]] for row in mine] == [
        [row[0], row[1], float(row[2]), row[3]] for row in countries
    ]
    on_time = oracle.execute(f"select count(*) filter (where not ({late})) / count(*) from shipments").fetchone()[0]
    share = server.scalar(
        "select cast(count(*) filter (where delivered_to_client_date <= scheduled_delivery_date) as double) / count(*) from shipments"
    )
    assert abs(share - on_time) < 1e-12
    print(f"on time: {share:.4%}")
