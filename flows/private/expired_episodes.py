"""Episodes closed for longer than `[keep] years_after_closing`: the weekly flow takes them out, a check counts them."""

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
    """What the published file holds that has expired by the order's clock; None where the clinic keeps everything, or
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
    """Write down that what has expired is to be taken out, by each number of these people; `begin` does it. Return what
    it is, and the load's reason where something goes."""
    order, expired = load.order, expired_of(load.order)
    if not expired or not expired.until:
        return expired, None
    until = expired.until_by_number
    days = {number: ErasedDays(until=day, by_load=load.load_id) for number, day in until.items()}
    reason = f"episodes closed for longer than {order.clinic.years_after_closing} years taken out"
    begin_erasure(order.folders, days, reason)
    return expired, reason


def told_of(expired: Expired | None, years: int | None, did: str) -> list[str]:
    """Sentences of what has expired, or why nobody was counted; none where the clinic keeps everything."""
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
