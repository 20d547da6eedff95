"""Compares a system's answer with the true one, and says by how much it is off."""

import dataclasses

import duckdb

# What sketches may be off by: five standard errors of HyperLogLog with 2^12 registers, 1.6 % each, rounded up to whole customers, which
# no honest group of millions exceeds by chance; and the relative error of the quantile sketch, with room for the last digit.
DISTINCT_ERROR = 5 * 0.01625
P95_ERROR = 0.01001


@dataclasses.dataclass
class Verdict:
    """How an answer differs from the truth."""

    groups: int = 0
    missing: int = 0
    invented: int = 0
    counts_differ: int = 0
    sums_differ: int = 0
    distinct_differ: int = 0
    p95_differ: int = 0
    events: int = 0
    events_told: int = 0

    @property
    def right(self):
        wrong = self.missing + self.invented + self.counts_differ + self.sums_differ
        return wrong + self.distinct_differ + self.p95_differ == 0

    def text(self):
        if self.right:
            return f"right in all {self.groups:,} groups"
        parts = {
            "groups missing": self.missing,
            "invented": self.invented,
            "counts differ": self.counts_differ,
            "sums differ": self.sums_differ,
            "distinct counts off": self.distinct_differ,
            "p95 off": self.p95_differ,
        }
        told = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
        if not self.events:
            return f"**wrong**: of {self.groups:,} groups {told}"
        more = self.events_told - self.events
        return f"**wrong**: of {self.groups:,} groups {told}; {abs(more):,} events {'too many' if more > 0 else 'too few'}"


def q1(truth, answer, sketches):
    """The verdict on an answer to Q1, a Parquet or CSV file with the columns of the truth and one `p95`."""
    distinct, p95 = (DISTINCT_ERROR, P95_ERROR) if sketches else (0, 0)
    with duckdb.connect() as db:
        db.execute(f"create view truth as select * from '{truth}'")
        db.execute(f"create view answer as select * from '{answer}'")
        row = db.execute(
            f"""
            select count(*) filter (t.n is not null), count(*) filter (a.n is null), count(*) filter (t.n is null),
                   count(*) filter (a.n <> t.n),
                   count(*) filter (a.volume::decimal(38, 2) is distinct from t.volume or a.currency_first is distinct from t.currency_first
                                    or a.currency_last is distinct from t.currency_last) - count(*) filter (a.n is null or t.n is null),
                   count(*) filter (abs(a.customers - t.customers) > ceil({distinct} * t.customers)),
                   count(*) filter (a.p95 < t.p95_low * {1 - p95} or a.p95 > t.p95_high * {1 + p95} or (a.p95 is null and a.n is not null)),
                   coalesce(sum(t.n), 0)::bigint, coalesce(sum(a.n), 0)::bigint
            from truth t full join answer a
            on t.minute = a.minute and t.merchant_id = a.merchant_id and t.method = a.method and t.status = a.status
            """
        ).fetchone()
    return Verdict(*row)


def windows(truth, answer):
    """The verdict on the windows that were told, a Parquet file with the columns of the truth."""
    with duckdb.connect() as db:
        row = db.execute(
            f"""
            select count(*) filter (t.n is not null), count(*) filter (a.n is null), count(*) filter (t.n is null),
                   count(*) filter (a.n <> t.n or a.declined <> t.declined)
            from '{truth}' t full join '{answer}' a on t.ends_at = a.ends_at and t.merchant_id = a.merchant_id
            """
        ).fetchone()
    return Verdict(*row)
