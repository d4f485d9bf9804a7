/*
title = "Goals and tasks over time"
question = "Do they agree on goals and tasks as therapy goes on?"
answer = """
'In session ' || max(session_number) FILTER (mean_pomp IS NOT NULL) || ' agreement is at '
    || arg_max(mean_pomp, session_number)::INTEGER || ' % of the maximum.'"""
group = "Collaboration"
order = 210
audience = "shared"
filters = ["site", "program"]
alt = "A line per scale and rater: mean agreement on goals and on tasks, in percent of the maximum, by session."
note = "The goal and task scales of the WAI family (Bordin 1979), in percent of the maximum. Clients who leave early drop from later sessions. Sessions 1 to 20, closed months."

[chart]
kind = "line"
x = "session_number"
y = "mean_pomp"
series = "scale"
panel = "rater"
unit = "percent of maximum"
x_title = "Session"

[columns]
instrument = "The alliance questionnaire."
scale = "Goal or task."
rater = "Whose view it is."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
session_number = "Rank of the treatment session within its episode."
rated_count = "Episodes with a score at that session."
client_count = "Their clients."
mean_pomp = "Mean percent of maximum possible."

[disclosure]
clients = "client_count"
keys = ["instrument", "scale", "rater", "site", "program", "session_number"]
along = "session_number"
counts = ["rated_count"]
means = { mean_pomp = { of = "rated_count", range = [0, 100] } }
behind = ["client_count"]
*/
WITH placed AS (
    SELECT *, count(*) OVER (PARTITION BY client_id) = 1 AS is_only FROM placed_episodes
)
SELECT
    a.instrument,
    a.scale,
    a.rater,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    a.session_number,
    count(*)::INTEGER AS rated_count,
    -- Only who has several episodes can be there twice.
    (count(*) FILTER (p.is_only) + count(DISTINCT a.client_id) FILTER (NOT p.is_only))::INTEGER AS client_count,
    avg(a.pomp) AS mean_pomp
FROM alliance AS a
JOIN placed AS p USING (episode_id)
ANTI JOIN other_raters USING (episode_id, rater, rater_number)
WHERE a.scale IN ('goal', 'task') AND a.session_number BETWEEN 1 AND 20 AND a.session_date < (SELECT closed_to FROM load.closed)
GROUP BY a.instrument, a.scale, a.rater, a.session_number, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
