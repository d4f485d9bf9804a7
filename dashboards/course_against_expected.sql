/*
title = "Course against expected"
question = "How many are where clients who began alike usually are?"
answer = """
round(100 * max(zone_share) FILTER (zone = 'green'))::INTEGER || ' % are at or above what is usual here.'"""
group = "Outcome"
order = 520
audience = "shared"
filters = ["site", "program"]
alt = "A bar per zone and measure: the share of episodes whose latest score lies in it."
note = "The latest score against the clinic's own expected course of clients who began alike (M19): green at or above the usual, orange below it, red among the poorest tenth, so a tenth is red by construction. Episodes without an expected course are left out. Episodes opened in closed months."

[chart]
kind = "bars"
y_title = "Of the episodes"
x = "zone_share"
y = "zone"
low = "low"
high = "high"
panel = "instrument"
unit = "percent"

[columns]
instrument = "The outcome measure."
rater = "Who rated."
zone = "green, orange or red."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
placed_count = "Episodes with an expected course."
client_count = "Their clients."
zone_count = "Episodes in this zone."
zone_share = "Share of them."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
zone_share = "round(zone_count / nullif(placed_count, 0), 2)"
low = "floor(100 * wilson_low(zone_count, placed_count)) / 100"
high = "ceil(100 * wilson_high(zone_count, placed_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["instrument", "rater", "zone", "site", "program"]
counts = ["placed_count"]
shared_out = "zone"
parts = { zone_count = { of = "placed_count" } }
behind = ["client_count"]
*/
SELECT
    g.instrument,
    g.rater,
    z.zone,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS placed_count,
    count(DISTINCT g.client_id)::INTEGER AS client_count,
    count(*) FILTER (g.zone = z.zone)::INTEGER AS zone_count
FROM progress AS g
JOIN placed_episodes AS p USING (episode_id)
JOIN episodes AS e USING (episode_id)
ANTI JOIN other_raters USING (episode_id, rater, rater_number)
CROSS JOIN (SELECT unnest(['green', 'orange', 'red']) AS zone) AS z
WHERE g.zone IN ('green', 'orange', 'red') AND e.opened_on < (SELECT closed_to FROM load.closed)
GROUP BY g.instrument, g.rater, z.zone, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
