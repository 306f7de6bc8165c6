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
    ApiKey,
    BillingInterval,
    CataloguePlan,
    ChangeTime,
    ClockTime,
    CloudEvent,
    CloudEventDataType0,
    ConsumeUsageTooManyRequestsProblem,
    ConsumeUsageTooManyRequestsProblemCode,
    ConsumptionView,
    FlatPrice,
    FlatPriceModel,
    Granularity,
    Invoice,
    NewApiKey,
    NewChange,
    NewOrganization,
    NewPlan,
    NewPlanMetric,
    NewPlanMetricPrices,
    NewPrice,
    NewReservation,
    NewReservationReceipt,
    NewSettlement,
    NewUsage,
    NewUsageMetadataType0,
    Organization,
    PageAuditEntry,
    PageCataloguePlan,
    PageInvoice,
    PerUnitPrice,
    PerUnitPriceModel,
    Permission,
    PermissionCheck,
    PermissionReason,
    QuotaView,
    Reservation,
    Scope,
    SettlementView,
    SubscriptionChange,
    TestClock,
    UsageBatch,
    UsageBatchView,
    UsageHistory,
    UsageReceipt,
)

PLAN = "sold-by-python"
T = TypeVar("T")


def caller(credential: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["TENANTRY_URL"], token=credential)


def ok(answer: object, expected: type[T]) -> T:
    """The answer, which has to be of one type and no problem."""
    assert isinstance(answer, expected), answer
    return answer


vendor = caller(os.environ["TENANTRY_PLATFORM_KEY"])


def publish_plan() -> None:
    base = NewPrice(currency="USD", interval=BillingInterval.MONTH, price=FlatPrice(model=FlatPriceModel.FLAT, amount="49"))
    prices = NewPlanMetricPrices()
    prices["USD"] = PerUnitPrice(model=PerUnitPriceModel.PER_UNIT, unit_amount="0.01")
    body = NewPlan(key=PLAN, name="Sold", prices=[base], metrics=[NewPlanMetric(metric="apiCalls", limit=10, prices=prices)])
    assert ok(create_plan.sync(client=vendor, body=body), CataloguePlan).key == PLAN
    plans = ok(list_plans.sync(client=vendor, limit=100), PageCataloguePlan).data
    [sold] = [plan.prices[0].price for plan in plans if plan.key == PLAN]
    assert isinstance(sold, FlatPrice) and sold.amount == "49"


def consume(backend: AuthenticatedClient, amount: int, key: str) -> object:
    metadata = NewUsageMetadataType0()
    metadata["route"] = "/greetings"
    body = NewUsage(metric="apiCalls", amount=amount, idempotency_key=key, metadata=metadata)
    return consume_usage.sync(client=backend, body=body)


def meter(organization: str) -> None:
    new_key = NewApiKey(name="backend", scopes=[Scope.USAGE_READ, Scope.USAGE_WRITE])
    key = ok(create_api_key.sync(client=vendor, body=new_key, tenantry_organization=organization), ApiKey)
    assert isinstance(key.secret, str)
    backend = caller(key.secret)

    assert ok(consume(backend, 3, "first"), ConsumptionView).replayed is False
    assert ok(consume(backend, 3, "first"), ConsumptionView).replayed is True
    refused = ok(consume(backend, 8, "over"), ConsumeUsageTooManyRequestsProblem)
    assert (refused.status, refused.code) == (429, ConsumeUsageTooManyRequestsProblemCode.QUOTA_EXCEEDED)
    assert (refused.limit, refused.current, refused.required) == (10, 3, 8)
    quota = ok(get_quota.sync("apiCalls", client=backend, explain=True), QuotaView)
    assert (quota.allowed, int(quota.current)) == (True, 3)
    events = [NewUsage(metric="apiCalls", amount=1, idempotency_key=key) for key in ("a", "b")]
    assert ok(record_usage_batch.sync(client=backend, body=UsageBatch(events=events)), UsageBatchView).accepted == 2

    hold = NewReservation(metric="apiCalls", amount=4, ttl_seconds=60)
    reservation = ok(create_reservation.sync(client=backend, body=hold), NewReservationReceipt)
    assert int(ok(get_reservation.sync(reservation.id, client=backend), Reservation).amount) == 4
    settlement = ok(settle_reservation.sync(reservation.id, client=backend, body=NewSettlement(amount=2)), SettlementView)
    assert settlement.reservation == reservation.id

    data = CloudEventDataType0()
    data["amount"] = 1
    event = CloudEvent(specversion="1.0", id="e-1", source="/gateway", type_="apiCalls", data=data)
    assert ok(record_events.sync(client=backend, body=event), UsageReceipt).metric == "apiCalls"
    history = ok(get_usage_history.sync(client=backend, metric="apiCalls", granularity=Granularity.DAY), UsageHistory)
    assert sum(int(entry.sum_) for entry in history.data) == 8


def bill(organization: str, clock: str) -> None:
    body = NewChange(plan="enterprise", effective=ChangeTime.NOW)
    asked = preview_subscription_change.sync(client=vendor, body=body, tenantry_organization=organization)
    preview = ok(asked, SubscriptionChange)
    change = ok(change_subscription.sync(client=vendor, body=body, tenantry_organization=organization), SubscriptionChange)
    assert (change.to.plan, change.total) == ("enterprise", preview.total)
    now = datetime(2026, 3, 15, tzinfo=UTC)
    assert ok(advance_test_clock.sync(clock, client=vendor, body=ClockTime(now=now)), TestClock).now == now

    newest = ok(list_invoices.sync(client=vendor, tenantry_organization=organization), PageInvoice).data[0]
    invoice = ok(get_invoice.sync(newest.id, client=vendor, tenantry_organization=organization), Invoice)
    assert invoice.total == newest.total


def audit(organization: str) -> None:
    first = ok(list_audit_log.sync(client=vendor, limit=1, tenantry_organization=organization), PageAuditEntry)
    assert first.has_more and isinstance(first.next_cursor, str)
    after = list_audit_log.sync(client=vendor, limit=1, cursor=first.next_cursor, tenantry_organization=organization)
    second = ok(after, PageAuditEntry)
    assert first.data[0].id != second.data[0].id


def permission() -> None:
    ada = caller(os.environ["TENANTRY_ACCESS_TOKEN"])
    check = ok(check_permission.sync(client=ada, permission=Permission.APIKEYS_WRITE), PermissionCheck)
    assert check.allowed and isinstance(check.reason, PermissionReason) and check.reason.role == "owner"


publish_plan()
test_clock = ok(create_test_clock.sync(client=vendor, body=ClockTime(now=datetime(2026, 1, 15, tzinfo=UTC))), TestClock)
new_organization = NewOrganization(name="Acme", email="python@acme.example", plan=PLAN, test_clock=test_clock.id)
acme = ok(create_organization.sync(client=vendor, body=new_organization), Organization).id
meter(acme)
bill(acme, test_clock.id)
audit(acme)
permission()
