"""What must be there after any accident, and what was found instead."""

import decimal

from traffic import CURRENCIES, MEASURES, SKETCHES

STREAMS = ("orders", "refunds", "readings")


class Totals:
    """Figures of a whole run."""

    def __init__(self):
        self.seeds = []
        self.counts = {
            name: 0
            for name in (
                "kills",
                "kills while sending",
                "kills while starting",
                "kills while stopping",
                "stops",
                "reloads",
                "second servers refused",
                "restarts checked",
                "events acknowledged",
                "events resent",
                "lines rejected",
                "events lost",
                "events doubled",
                "money differing",
                "cube figures compared",
                "cube figures differing",
            )
        }

    def add(self, name, by=1):
        self.counts[name] = self.counts.get(name, 0) + by

    def __str__(self):
        return ", ".join(f"{name} {count}" for name, count in self.counts.items())


class Oracle:
    """All batches that were ever sent to one data folder."""

    def __init__(self, totals):
        self.totals = totals
        self.batches = {stream: {} for stream in STREAMS}

    def add(self, batch):
        self.batches[batch.stream][batch.number] = batch

    def check(self, server, touched=False):
        """Compares everything that a server holds with what it must hold."""
        self.totals.add("restarts checked")
        for stream, batches in self.batches.items():
            present = self._check_batches(server, stream, batches)
            extra = ["touched"] if touched and stream == "orders" else []
            self._check_money(server, stream, present, extra)
            self._check_cubes(server, stream)

    def check_every_event(self, server):
        """That exactly the serials are there that must be, one by one."""
        for stream, batches in self.batches.items():
            expected = sorted(n for batch in batches.values() for n in batch.serials)
            found = []
            while True:
                after = found[-1] if found else -1
                rows = server.sql(f"select n from {stream} where n > {after} order by n limit 5000")
                found += [int(n) for (n,) in rows]
                if len(rows) < 5000:
                    break
            self._count(f"{stream}, one by one", expected, found)

    def _count(self, where, expected, found):
        lost = len(set(expected) - set(found))
        doubled = len(found) - len(set(found))
        strange = len(set(found) - set(expected))
        self.totals.add("events lost", lost)
        self.totals.add("events doubled", doubled + strange)
        assert (lost, doubled, strange) == (0, 0, 0), f"{where}: (lost, doubled, strange)"

    def _check_batches(self, server, stream, batches):
        """Every acknowledged batch is there as a whole and once, every other one too or not at all."""
        rows = server.sql(
            f"select batch, count(*), count(distinct n), min(n), max(n) from {stream} group by batch"
        )
        found = {int(batch): [int(v) for v in values] for batch, *values in rows}
        faults = []
        for number, batch in batches.items():
            count, distinct, first, last = found.pop(number, (0, 0, None, None))
            if count == 0 and not batch.acknowledged:
                continue
            if count > distinct:
                self.totals.add("events doubled", count - distinct)
                faults.append((number, "doubled", count, distinct))
            # Those of a batch that was not acknowledged must be there all or none.
            if distinct < batch.size:
                self.totals.add("events lost", batch.size - distinct)
                faults.append((number, "lost", distinct, batch.size, batch.acknowledged))
            elif (first, last) != (batch.serials[0], batch.serials[-1]):
                faults.append((number, "others", first, last))
            batch.acknowledged = True
        assert not faults and not found, f"{stream}: {faults}, nobody sent {found}"
        return [batch for batch in batches.values() if batch.acknowledged]

    def _check_money(self, server, stream, present, extra):
        expected = dict.fromkeys(CURRENCIES, 0)
        for batch in present:
            for currency, cents in batch.cents.items():
                expected[currency] += cents
        for table, sql in (
            (stream, "sum(amount)"),
            (f"{stream}_by_shop", "measure(amount)"),
            (f"{stream}_by_day", "measure(amount)"),
            *((cube, "measure(amount)") for cube in extra),
        ):
            rows = server.sql(f"select currency, {sql} from {table} group by currency")
            found = {currency: int(decimal.Decimal(total) * 100) for currency, total in rows}
            for currency, cents in expected.items():
                if found.get(currency, 0) != cents:
                    self.totals.add("money differing")
            found = {currency: found.get(currency, 0) for currency in CURRENCIES}
            assert found == expected, f"money of {table}"

    def _check_cubes(self, server, stream):
        def shown(name, sql):
            if name == "sizes":
                return f"quantile_at({sql}, 0.5), quantile_at({sql}, 0.95)"
            return sql

        live = ", ".join(shown(name, f"measure({name})") for name, _ in MEASURES)
        raw = ", ".join(shown(name, sql) for name, sql in MEASURES)
        exact = sum(1 for name, _ in MEASURES if name not in SKETCHES)
        live = self._rows(
            server,
            f"select bucket, shop, currency, {live} from {stream}_by_shop group by bucket, shop, currency",
        )
        raw = self._rows(
            server,
            f"select date_bin(interval '1 minute', at), shop, currency, {raw} from {stream} group by 1, 2, 3",
        )
        assert live.keys() == raw.keys(), f"buckets of {stream}_by_shop"
        for key, figures in raw.items():
            self.totals.add("cube figures compared", len(figures))
            exactly = live[key][:exact] == figures[:exact]
            # A sketch of merged states may differ from one in another order by its error.
            nearly = all(
                abs(float(mine) - float(other)) <= max(1.0, 0.03 * abs(float(other)))
                for mine, other in zip(live[key][exact:], figures[exact:])
            )
            if not (exactly and nearly):
                self.totals.add("cube figures differing")
            assert exactly and nearly, f"{stream}_by_shop at {key}: {live[key]} is not {figures}"

    @staticmethod
    def _rows(server, sql):
        """In pages, as an answer has a limit of rows."""
        keyed = {}
        page = 5000
        while True:
            rows = server.sql(f"{sql} order by 1, 2, 3 limit {page} offset {len(keyed)}")
            for bucket, shop, currency, *figures in rows:
                keyed[bucket, shop, currency] = figures
            if len(rows) < page:
                return keyed
