/*
title = "Motivation of child and caregiver"
question = "How motivated are child and caregiver, and does it change early?"
answer = """
'At first the child is at ' || (max(mean_pomp) FILTER (rater = 'client' AND stage = 'first'))::INTEGER
    || ' % of the maximum and the caregiver at '
    || (max(mean_pomp) FILTER (rater = 'caregiver' AND stage = 'first'))::INTEGER || ' %.'"""
group = "Engagement"
order = 450
audience = "shared"
filters = ["site", "program"]
alt = "Two lines, of child and caregiver: mean motivation at first and after the first sessions."
note = "Episodes in which a rater gave both the first and a later rating in the first six treatment sessions. Child and caregiver need not be of the same episodes. Episodes opened in closed months."

[chart]
kind = "slope"
x = "stage"
y = "mean_pomp"
series = "rater"
panel = "scale"
unit = "percent of maximum"

[columns]
instrument = "The motivation questionnaire."
scale = "Its scale."
rater = "Whose view it is."
stage = "first, or later: the latest of the first six sessions."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
rated_count = "Episodes with both ratings of this rater."
client_count = "Their clients."
mean_pomp = "Mean percent of maximum possible."

[disclosure]
clients = "client_count"
keys = ["instrument", "scale", "rater", "stage", "site", "program"]
counts = ["rated_count"]
means = { mean_pomp = { of = "rated_count", range = [0, 100] } }
behind = ["client_count"]
*/
WITH told AS (
    SELECT instrument, scale, 'client' AS rater, episode_id, client_id, client_first_pomp AS first,
        client_early_pomp AS later
    FROM motivation
    UNION ALL
    SELECT instrument, scale, 'caregiver', episode_id, client_id, caregiver_first_pomp, caregiver_early_pomp
    FROM motivation
)
SELECT
    t.instrument,
    t.scale,
    t.rater,
    g.stage,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS rated_count,
    count(DISTINCT t.client_id)::INTEGER AS client_count,
    avg(CASE g.stage WHEN 'first' THEN t.first ELSE t.later END) AS mean_pomp
FROM told AS t
JOIN placed_episodes AS p USING (episode_id)
JOIN episodes AS e USING (episode_id)
CROSS JOIN (SELECT unnest(['first', 'later']) AS stage) AS g
WHERE t.first IS NOT NULL AND t.later IS NOT NULL AND e.opened_on < (SELECT closed_to FROM load.closed)
GROUP BY t.instrument, t.scale, t.rater, g.stage, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
