"""Episodes closed for longer than `[keep] years_after_closing`. The weekly flow deletes them; a check counts them."""

from __future__ import annotations

from datetime import date

from rapport.flows.order import Order
from rapport.flows.private.erasure import begin_erasure
from rapport.flows.workbench import Load
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.history.expiry import Expired, find_expired
from rapport.warehouse.places.versions import current_version
from rapport.warehouse.store.building_file import open_published


def expired_of(order: Order) -> Expired | None:
    """The expired episodes of the published file, by the order's clock. None where the clinic keeps everything, or
    nothing is published."""
    published = current_version(order.folders.published)
    if order.clinic.years_after_closing is None or published is None:
        return None
    with open_published(published) as con:
        return find_expired(con, _years_before(order.clinic.day_of(order.as_of), order.clinic.years_after_closing))


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def begin_expiry(load: Load) -> tuple[Expired | None, str | None]:
    """Note the erasure of expired episodes, for each number of their clients; `begin` does it. Return the episodes, and
    the load's reason where there are any."""
    order, expired = load.order, expired_of(load.order)
    if not expired or not expired.until:
        return expired, None
    until = expired.until_by_number
    days = {number: ErasedDays(until=day, by_load=load.load_id) for number, day in until.items()}
    reason = f"episodes closed for longer than {order.clinic.years_after_closing} years taken out"
    begin_erasure(order.folders, days, reason)
    return expired, reason


def told_of(expired: Expired | None, years: int | None, did: str) -> list[str]:
    """Sentences about the expired episodes, or the reason why none were counted. Empty where the clinic keeps
    everything."""
    if years is None:
        return []
    key = f"[keep] years_after_closing = {years}"
    if expired is None:
        return [f"{key}: nothing is published yet, so nothing is counted."]
    what = f"{expired.episode_count:,} episodes of {len(expired.until):,} clients that ended before {expired.before}"
    idle = (
        f"{expired.idle_count:,} episodes are not closed, and nothing of their clients is dated since "
        f"{expired.before}; they stay until the practice system closes them."
    )
    return [f"{key}: {did} {what}.", *([idle] if expired.idle_count else [])]
