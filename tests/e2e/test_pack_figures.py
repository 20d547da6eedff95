"""Both packs' metrics over a handful of events whose figures are worked out by hand.

The events have what real ones have: optional fields that are missing, values nobody told us of, amounts in a
currency without a rate, and stretches in which a thing did not happen at all.
"""

import itertools

DEFINITIONS = "packs: [payments, commerce]\n"
NUMBERS = itertools.count()


def event(**fields):
    number = next(NUMBERS)
    return {"event_id": f"e{number}", "occurred_at": f"2026-11-01T10:00:{number % 60:02}Z", **fields}


def attempt(payment, number, status, amount, **fields):
    ordinary = {
        "payment_id": payment,
        "customer_id": f"c_{payment}",
        "channel": "web",
        "initiator": "customer",
        "attempt": number,
        "amount": amount,
        "currency": "EUR",
        "psp": "adyen",
        "method": "card",
        "issuer": "bank_17",
        "issuer_country": "DE",
        "country": "DE",
        "status": status,
    }
    return event(**{**ordinary, **fields})


def check(server, cube, condition, figures):
    """Each metric against its figure; None is a figure that cannot be told."""
    for metric, expected in figures.items():
        found = server.scalar(f"select measure({metric}) from {cube} where {condition}")
        if expected is None or found is None:
            assert found is expected, f"{metric} where {condition}: {found}, not {expected}"
        else:
            assert abs(float(found) - expected) < 1e-6, f"{metric} where {condition}: {found}, not {expected}"


def send(server, stream, events):
    answer = server.post(stream, events).json()
    assert answer["accepted"] == len(events), answer


def test_declines_without_a_kind_are_declines(start):
    server = start(DEFINITIONS)
    send(
        server,
        "payments",
        [attempt(f"p{n}", 1, "declined" if n < 60 else "approved", "10.00") for n in range(100)],
    )
    check(
        server,
        "payment_attempts",
        "psp = 'adyen'",
        {
            "acceptance_rate": 0.4,
            "authorization_rate": 0.4,
            "decline_rate": 0.6,
            "hard_decline_rate": 0,
            "soft_decline_rate": 0,
        },
    )


def test_payment_metrics_are_what_their_formulas_say(start):
    server = start(DEFINITIONS)
    send(
        server,
        "payments",
        [
            attempt("p1", 1, "declined", "10.00", decline_kind="hard", decline_code="stolen_card",
                    payment_status="failed", three_ds="frictionless", three_ds_result="authenticated"),
            attempt("p2", 1, "declined", "20.00", decline_kind="soft", exemption="low_value", exemption_accepted=True),
            attempt("p2", 2, "approved", "20.00", payment_status="succeeded", exemption="low_value",
                    exemption_accepted=False),
            # A decline of which the PSP tells no more.
            attempt("p3", 1, "declined", "2.00", payment_status="failed", three_ds="frictionless"),
            attempt("p4", 1, "approved", "100.00", payment_status="succeeded", three_ds="challenge",
                    three_ds_result="authenticated"),
            attempt("p5", 1, "blocked", "50.00", payment_status="dropped"),
            attempt("p6", 1, "abandoned", "30.00", payment_status="dropped", three_ds="challenge",
                    three_ds_result="abandoned"),
            attempt("p7", 1, "error", "40.00", payment_status="failed", three_ds_result="authenticated"),
            # A status and a result that nobody told us of, and an exemption without an answer.
            attempt("p8", 1, "cancelled", "60.00", payment_status="expired", exemption="risk_analysis"),
            attempt("p9", 1, "approved", "11.56", currency="USD", payment_status="succeeded", three_ds="frictionless",
                    three_ds_result="authenticated"),
            # A currency without a rate, in a payment that has not ended.
            attempt("p10", 1, "approved", "500.00", currency="CAD"),
            # Another PSP and country, where nothing is approved.
            attempt("p11", 1, "declined", "70.00", psp="stripe", country="FR", issuer_country="FR", payment_status="failed"),
        ],
    )
    check(
        server,
        "payment_attempts",
        "psp = 'adyen'",
        {
            "attempt_count": 11,
            "authorization_rate": 4 / 11,
            "acceptance_rate": 4 / 10,
            "decline_rate": 3 / 11,
            "hard_decline_rate": 1 / 11,
            "soft_decline_rate": 1 / 11,
            "small_decline_share": 1 / 11,
            "risk_block_rate": 1 / 11,
            "error_rate": 1 / 11,
            "first_attempt_authorization_rate": 3 / 10,
            "attempts_per_payment": 11 / 10,
            "issuer_declines": 3,
            "payment_count": 3,
            "payment_success_rate": 3 / 7,
            "payment_volume": 130,
            "requested_volume": 342,
            "volume_authorization_rate": 130 / 342,
        },
    )
    # The same rates without retries, and of retries alone.
    first = {"authorization_rate": 3 / 10, "acceptance_rate": 3 / 9, "decline_rate": 3 / 10, "error_rate": 1 / 10,
             "volume_authorization_rate": 110 / 322}
    check(server, "payment_attempts", "psp = 'adyen' and attempt_kind = 'first'", first)
    check(server, "payment_attempts", "attempt_kind = 'retry'", {"authorization_rate": 1, "decline_rate": 0})
    # Nothing approved is a rate of zero and no money, not an empty chart.
    nothing = {"authorization_rate": 0, "volume_authorization_rate": 0, "payment_volume": 0, "acceptance_rate": 0}
    check(server, "payment_attempts", "psp = 'stripe'", nothing)
    check(
        server,
        "payment_markets",
        "country = 'DE'",
        {"market_authorization_rate": 4 / 11, "average_payment": 130 / 3, "payment_amount": None},
    )
    check(server, "payment_markets", "country = 'DE' and currency = 'USD'", {"payment_amount": 11.56})
    check(server, "payment_markets", "country = 'FR'", {"payment_amount": 0, "average_payment": None})
    check(
        server,
        "payment_authentication",
        "psp = 'adyen'",
        {
            "authentication_request_rate": 5 / 11,
            "authentication_rate": 3 / 5,
            "authenticated_approval_rate": 2 / 3,
            "challenge_rate": 2 / 5,
            "frictionless_rate": 3 / 5,
            "authentication_abandonment": 1 / 2,
            "exemption_request_rate": 3 / 11,
            "exemption_acceptance_rate": 1 / 3,
        },
    )
    check(server, "payment_outcomes", "psp = 'adyen'", {"declines": 3, "outcomes": 11})
    check(server, "payment_outcomes", "outcome = 'stolen_card'", {"declines": 1})


def test_money_metrics_are_what_their_formulas_say(start):
    def movement(kind, amount, psp="adyen", **fields):
        return event(payment_id="p", kind=kind, amount=amount, currency="EUR", psp=psp, method="card", country="DE",
                     **fields)

    server = start(DEFINITIONS)
    send(
        server,
        "payment_movements",
        [
            *[movement("authorised", amount) for amount in ("100.00", "200.00", "300.00")],
            movement("captured", "100.00", fee="1.00"),
            # A capture that does not tell its fee costs nobody knows what; a fee elsewhere is not one for a capture.
            movement("captured", "150.00"),
            movement("voided", "50.00"),
            movement("refunded", "25.00", fee="7.00"),
            movement("disputed", "100.00", reason="fraudulent"),
            movement("disputed", "10.00", reason="not_received"),
            movement("disputed", "5.00"),
            movement("authorised", "80.00", psp="stripe"),
            movement("captured", "40.00", psp="nuvei"),
        ],
    )
    check(
        server,
        "payment_money",
        "psp = 'adyen'",
        {
            "captured_volume": 250,
            "capture_rate": 250 / 600,
            "uncaptured_volume": 300,
            "refund_rate": 0.1,
            "dispute_rate": 15_000,
            "fraud_rate": 4_000,
            "payment_cost": 100,
        },
    )
    check(
        server,
        "payment_money",
        "psp = 'stripe'",
        {"captured_volume": 0, "capture_rate": 0, "uncaptured_volume": 80, "refund_rate": None, "dispute_rate": None},
    )
    check(
        server,
        "payment_money",
        "psp = 'nuvei'",
        {"refund_rate": 0, "dispute_rate": 0, "fraud_rate": 0, "payment_cost": None, "uncaptured_volume": -40},
    )


def test_commerce_metrics_are_what_their_formulas_say(start):
    def order(kind, customer, currency, amounts, items, country="DE"):
        names = ("value", "goods", "discount", "tax", "shipping", "refund")
        return event(order_id="o", customer_id=customer, kind=kind, customer_type="new", channel="web",
                     country=country, currency=currency, items=items, **dict(zip(names, amounts, strict=True)))

    def line(product, amount, cost, currency, quantity):
        return event(order_id="o", line=1, product=product, category="books", country="DE", quantity=quantity,
                     unit_price=amount, amount=amount, cost=cost, currency=currency)

    def step(name, **fields):
        return event(visit_id="v", step=name, device="phone", source="ads", country="DE", channel="web", **fields)

    server = start(DEFINITIONS)
    send(
        server,
        "orders",
        [
            order("placed", "c1", "EUR", ("57.80", "50.00", "5.00", "8.55", "4.25", "0"), 2),
            order("placed", "c1", "USD", ("104.04", "115.60", "11.56", "0", "0", "0"), 1),
            order("placed", "c2", "CAD", ("10.00", "10.00", "0", "0", "0", "0"), 3),
            # A refund that repeats the order's amounts, by a customer who bought at another time.
            order("refunded", "c9", "EUR", ("57.80", "50.00", "5.00", "8.55", "4.25", "20.00"), 2),
            order("refunded", "c8", "EUR", ("0", "0", "0", "0", "0", "30.00"), 0, country="FR"),
        ],
    )
    check(
        server,
        "order_values",
        "country = 'DE'",
        {
            "gmv": 147.8,
            "gmv_by_currency": None,
            "net_revenue": 115,
            "average_order_value": 67.5,
            "items_per_order": 2,
            "discount_rate": 0.1,
            "order_refund_rate": 20 / 135,
            "order_count": 3,
        },
    )
    check(server, "order_values", "currency = 'USD'", {"gmv_by_currency": 104.04, "order_refund_rate": 0})
    check(
        server,
        "order_values",
        "country = 'FR'",
        {"gmv": 0, "gmv_by_currency": 0, "net_revenue": -30, "order_count": 0, "average_order_value": None},
    )
    check(server, "shop_buyers", "customer_type = 'new'", {"buyers": 2, "orders_per_buyer": 1.5})
    send(
        server,
        "order_lines",
        [line("sku-1", "50.00", "30.00", "EUR", 2), line("sku-2", "115.60", "57.80", "USD", 1)],
    )
    check(
        server,
        "product_sales",
        "category = 'books'",
        {"product_revenue": 150, "units_sold": 3, "gross_margin": 70 / 150},
    )
    send(
        server,
        "visits",
        [
            *[step("visit") for _ in range(4)],
            step("product", category="books", in_stock=True),
            step("product", category="books", in_stock=False),
            step("product", category="books"),
            *[step(name) for name in ("cart", "cart", "checkout", "checkout", "payment", "order")],
        ],
    )
    check(
        server,
        "funnel",
        "device = 'phone'",
        {
            "visit_count": 4,
            "product_view_count": 3,
            "cart_count": 2,
            "checkout_count": 2,
            "payment_start_count": 1,
            "completed_visit_count": 1,
            "conversion_rate": 1 / 4,
            "product_view_rate": 3 / 4,
            "cart_rate": 2 / 3,
            "checkout_rate": 1,
            "payment_start_rate": 1 / 2,
            "payment_completion_rate": 1,
            "cart_abandonment": 1 / 2,
        },
    )
    check(server, "product_views", "category = 'books'", {"stock_out_rate": 1 / 2})
