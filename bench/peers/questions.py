"""The questions, and what is true by DuckDB over the events, each counted once."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Question:
    """A question with a table of its right answers, of which the first columns are the group."""

    name: str
    title: str
    key: tuple
    truth: str


# The two values a 95th percentile lies between, however it is defined: the ranks around 0.95 × (n − 1).
Q1 = Question(
    name="q1",
    title="One-minute tumbling windows by merchant, method and status: count, exact sum with its currency, distinct customers, p95 of the latency",
    key=("minute", "merchant_id", "method", "status"),
    truth="""
    select minute, merchant_id, method, status, n, volume, currency_first, currency_last, customers,
           latencies[1 + floor(0.95 * (n - 1))::bigint] as p95_low, latencies[1 + ceil(0.95 * (n - 1))::bigint] as p95_high
    from (
      select time_bucket(interval '1 minute', occurred_at) as minute, merchant_id, method, status, count(*) as n, sum(amount) as volume,
             min(currency) as currency_first, max(currency) as currency_last, count(distinct customer_id) as customers,
             list_sort(list(latency_ms)) as latencies
      from events group by all
    )""",
)

# The alarm of Q2 as a question about the file: every window of five minutes, one each ten seconds, in which a merchant's payments fail.
WINDOWS = Question(
    name="windows",
    title="Windows of five minutes every ten seconds: merchants with more than 40 % of at least 30 payments declined",
    key=("ends_at", "merchant_id"),
    truth="""
    select ends_at, merchant_id, sum(n)::bigint as n, sum(declined)::bigint as declined
    from (
      select time_bucket(interval '10 seconds', occurred_at) + (k + 1) * interval '10 seconds' as ends_at, merchant_id,
             count(*) as n, count(*) filter (where status = 'declined') as declined
      from events cross join range(30) t(k) group by all
    ) group by all having sum(n) >= 30 and sum(declined) > 0.4 * sum(n)""",
)
