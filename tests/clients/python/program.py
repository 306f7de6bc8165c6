"""20 operations through openapi-python-client. The package `tenantry` is made by the test from openapi.json."""

import os
from datetime import UTC, datetime
from typing import TypeVar

from tenantry import AuthenticatedClient
from tenantry.api.api_keys import create_api_key
from tenantry.api.audit_log import list_audit_log
from tenantry.api.invoices import get_invoice, list_invoices
from tenantry.api.plans import create_plan, list_plans
from tenantry.api.roles import check_permission
from tenantry.api.sign_up import create_organization
from tenantry.api.subscriptions import change_subscription, preview_subscription_change
from tenantry.api.test_clocks import advance_test_clock, create_test_clock
from tenantry.api.usage import (
    consume_usage,
    create_reservation,
    get_quota,
    get_reservation,
    get_usage_history,
    record_events,
    record_usage_batch,
    settle_reservation,
)
from tenantry.models import (
    BillingInterval,
    ChangeTime,
    ClockTime,
    CloudEvent,
    CloudEventDataType0,
    ConsumptionView,
    NewApiKey,
    NewChange,
    NewOrganization,
    NewPlan,
    NewPlanMetric,
    NewPlanMetricPrices,
    NewPrice,
    NewReservation,
    NewSettlement,
    NewUsage,
    NewUsageMetadataType0,
    PermissionReason,
    PriceKind,
    PriceModel,
    Problem,
    UsageBatch,
    UsageReceipt,
)
from tenantry.types import Response

PLAN = "sold-by-python"
T = TypeVar("T")


def caller(credential: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["TENANTRY_URL"], token=credential)


def ok(answer: T | Problem | None) -> T:
    """The data of an answer that has to be there."""
    assert answer is not None
    assert not isinstance(answer, Problem), answer
    return answer


vendor = caller(os.environ["TENANTRY_PLATFORM_KEY"])


def publish_plan() -> None:
    base = NewPrice(currency="USD", interval=BillingInterval.MONTH, price=PriceModel(model=PriceKind.FLAT, amount="49"))
    prices = NewPlanMetricPrices()
    prices["USD"] = PriceModel(model=PriceKind.PER_UNIT, unit_amount="0.01")
    body = NewPlan(key=PLAN, name="Sold", prices=[base], metrics=[NewPlanMetric(metric="apiCalls", limit=10, prices=prices)])
    assert ok(create_plan.sync(client=vendor, body=body)).key == PLAN
    plans = ok(list_plans.sync(client=vendor, limit=100)).data
    [sold] = [plan.prices[0].price for plan in plans if plan.key == PLAN]
    assert (sold.model, sold.amount) == (PriceKind.FLAT, "49")


def consume(backend: AuthenticatedClient, amount: int, key: str) -> Response[ConsumptionView | Problem]:
    metadata = NewUsageMetadataType0()
    metadata["route"] = "/greetings"
    body = NewUsage(metric="apiCalls", amount=amount, idempotency_key=key, metadata=metadata)
    return consume_usage.sync_detailed(client=backend, body=body)


def meter(organization: str) -> None:
    new_key = NewApiKey(name="backend", scopes=["usage.read", "usage.write"])
    key = ok(create_api_key.sync(client=vendor, body=new_key, tenantry_organization=organization))
    assert isinstance(key.secret, str)
    backend = caller(key.secret)

    assert ok(consume(backend, 3, "first").parsed).replayed is False
    assert ok(consume(backend, 3, "first").parsed).replayed is True
    refused = consume(backend, 8, "over")
    assert refused.status_code == 429 and isinstance(refused.parsed, Problem)
    assert refused.parsed.code == "quota_exceeded" and refused.parsed.detail
    quota = ok(get_quota.sync("apiCalls", client=backend, explain=True))
    assert (quota.allowed, int(quota.current)) == (True, 3)
    events = [NewUsage(metric="apiCalls", amount=1, idempotency_key=key) for key in ("a", "b")]
    assert ok(record_usage_batch.sync(client=backend, body=UsageBatch(events=events))).accepted == 2

    reservation = ok(create_reservation.sync(client=backend, body=NewReservation(metric="apiCalls", amount=4, ttl_seconds=60)))
    assert int(ok(get_reservation.sync(reservation.id, client=backend)).amount) == 4
    settlement = ok(settle_reservation.sync(reservation.id, client=backend, body=NewSettlement(amount=2)))
    assert settlement.reservation == reservation.id

    data = CloudEventDataType0()
    data["amount"] = 1
    event = CloudEvent(specversion="1.0", id="e-1", source="/gateway", type_="apiCalls", data=data)
    assert isinstance(ok(record_events.sync(client=backend, body=event)), UsageReceipt)
    history = ok(get_usage_history.sync(client=backend, metric="apiCalls", granularity="day"))
    assert sum(int(entry.sum_) for entry in history.data) == 8


def bill(organization: str, clock: str) -> None:
    body = NewChange(plan="enterprise", effective=ChangeTime.NOW)
    preview = ok(preview_subscription_change.sync(client=vendor, body=body, tenantry_organization=organization))
    change = ok(change_subscription.sync(client=vendor, body=body, tenantry_organization=organization))
    assert (change.to.plan, change.total) == ("enterprise", preview.total)
    now = datetime(2026, 3, 15, tzinfo=UTC)
    assert ok(advance_test_clock.sync(clock, client=vendor, body=ClockTime(now=now))).now == now

    newest = ok(list_invoices.sync(client=vendor, tenantry_organization=organization)).data[0]
    invoice = ok(get_invoice.sync(newest.id, client=vendor, tenantry_organization=organization))
    assert invoice.total == newest.total


def audit(organization: str) -> None:
    first = ok(list_audit_log.sync(client=vendor, limit=1, tenantry_organization=organization))
    assert first.has_more and isinstance(first.next_cursor, str)
    second = ok(list_audit_log.sync(client=vendor, limit=1, cursor=first.next_cursor, tenantry_organization=organization))
    assert first.data[0].id != second.data[0].id


def permission() -> None:
    check = ok(check_permission.sync(client=caller(os.environ["TENANTRY_ACCESS_TOKEN"]), permission="apiKeys.write"))
    assert check.allowed and isinstance(check.reason, PermissionReason) and check.reason.role == "owner"


publish_plan()
test_clock = ok(create_test_clock.sync(client=vendor, body=ClockTime(now=datetime(2026, 1, 15, tzinfo=UTC))))
new_organization = NewOrganization(name="Acme", email="python@acme.example", plan=PLAN, test_clock=test_clock.id)
acme = ok(create_organization.sync(client=vendor, body=new_organization)).id
meter(acme)
bill(acme, test_clock.id)
audit(acme)
permission()
