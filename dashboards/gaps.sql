/*
title = "Gaps and out of contact"
question = "How many pause for long, and how many fell out of contact?"
answer = """
round(100 * max(so_share) FILTER (measure = 'paused more than 30 days'))::INTEGER
    || ' % of the episodes had a pause of more than 30 days.'"""
group = "Engagement"
order = 430
audience = "shared"
filters = ["site", "program"]
alt = "Two bars: the share of episodes with a long pause, and of open episodes out of contact."
note = "Paused: of episodes with two treatment sessions or more, those with more than 30 days between two. Out of contact: of the open episodes begun in closed months, those last seen more than 30 days before the first of this month. Who they are is in the clinicians' worklist."

[chart]
kind = "bars"
y_title = "Of the episodes"
x = "so_share"
y = "measure"
low = "low"
high = "high"
unit = "percent"

[columns]
measure = "Which of the two."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
episode_count = "Episodes that it is asked of."
client_count = "Their clients."
so_count = "Of which it is so."
so_share = "Share of which it is so."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
so_share = "round(so_count / nullif(episode_count, 0), 2)"
low = "floor(100 * wilson_low(so_count, episode_count)) / 100"
high = "ceil(100 * wilson_high(so_count, episode_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["measure", "site", "program"]
counts = ["episode_count"]
parts = { so_count = { of = "episode_count" } }
behind = ["client_count"]
*/
WITH told AS (
    SELECT 'paused more than 30 days' AS measure, g.episode_id, g.client_id, g.longest_gap_days > 30 AS is_so
    FROM engagement AS g JOIN retention AS r USING (episode_id)
    WHERE g.attended_count >= 2 AND g.longest_gap_days IS NOT NULL AND r.opened_on < (SELECT closed_to FROM load.closed)
    UNION ALL
    SELECT 'out of contact', r.episode_id, r.client_id, r.last_treated_on < c.closed_to - INTERVAL 30 DAY
    FROM retention AS r CROSS JOIN load.closed AS c
    WHERE NOT r.has_ended AND r.last_treated_on IS NOT NULL AND r.opened_on < c.closed_to
)
SELECT
    t.measure,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS episode_count,
    count(DISTINCT t.client_id)::INTEGER AS client_count,
    count(*) FILTER (t.is_so)::INTEGER AS so_count
FROM told AS t
JOIN placed_episodes AS p USING (episode_id)
GROUP BY t.measure, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
