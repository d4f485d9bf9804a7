/*
title = "Staying past four sessions"
question = "How many stay for more than four sessions?"
answer = """
round(100 * sum(stayed_count) / nullif(sum(known_count) FILTER (stayed_count IS NOT NULL), 0))::INTEGER
    || ' % stayed for more than four sessions, in the quarters for which it can be shown.'"""
group = "Engagement"
order = 400
audience = "shared"
filters = ["site", "program"]
alt = "A line with its 95 % interval: the share of episodes with more than four treatment sessions, by quarter of opening."
note = "At least five attended treatment sessions (Elkin et al. 2014), of the episodes of which it is known. The newest quarters are of those who already reached five, or ended: they move until all are known."

[chart]
kind = "line"
y_title = "Stayed for more than four sessions"
x = "quarter"
y = "stayed_share"
low = "low"
high = "high"
unit = "percent"

[columns]
quarter = "The quarter of opening, as '2026-Q3'."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
known_count = "Episodes of which it is known."
client_count = "Their clients."
stayed_count = "Episodes with more than four treatment sessions."
stayed_share = "Of those known."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
stayed_share = "round(stayed_count / nullif(known_count, 0), 2)"
low = "floor(100 * wilson_low(stayed_count, known_count)) / 100"
high = "ceil(100 * wilson_high(stayed_count, known_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["quarter", "site", "program"]
along = "quarter"
counts = ["known_count"]
parts = { stayed_count = { of = "known_count" } }
behind = ["client_count"]
*/
SELECT
    strftime(r.opened_on, '%Y-Q') || quarter(r.opened_on) AS quarter,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS known_count,
    count(DISTINCT r.client_id)::INTEGER AS client_count,
    count(*) FILTER (r.has_more_than_four)::INTEGER AS stayed_count
FROM retention AS r
JOIN placed_episodes AS p USING (episode_id)
WHERE r.has_more_than_four IS NOT NULL AND r.opened_on < (SELECT closed_to FROM load.closed)
GROUP BY quarter, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
