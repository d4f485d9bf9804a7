/*
title = "Alliance by session"
question = "Does the working alliance grow as therapy goes on?"
answer = """
'The alliance is at ' || arg_min(mean_pomp, session_number)::INTEGER || ' % of the maximum in session '
    || min(session_number) FILTER (mean_pomp IS NOT NULL) || ' and at ' || arg_max(mean_pomp, session_number)::INTEGER
    || ' % in session ' || max(session_number) FILTER (mean_pomp IS NOT NULL) || ', as clients see it.'"""
group = "Relationship"
order = 10
audience = "shared"
filters = ["site", "program"]
alt = "A line per rater and questionnaire: the mean alliance, in percent of the maximum, by session."
note = "Mean of each rater's total, as percent of maximum possible. Clients who leave early drop from later sessions, so part of any rise is who stays. Sessions 1 to 20, closed months."

[chart]
kind = "line"
x = "session_number"
y = "mean_pomp"
series = "rater"
panel = "instrument"
unit = "percent of maximum"
x_title = "Session"

[columns]
instrument = "The alliance questionnaire."
rater = "Whose view it is."
site = "The clinic's site, or 'All'."
program = "The episode's program, or 'All'."
session_number = "Rank of the treatment session within its episode."
rated_count = "Episodes with a score at that session."
client_count = "Clients with a score at that session."
mean_pomp = "Mean percent of maximum possible."

[disclosure]
clients = "client_count"
keys = ["instrument", "rater", "site", "program", "session_number"]
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
WHERE a.scale = 'total' AND a.session_number BETWEEN 1 AND 20 AND a.session_date < (SELECT closed_to FROM load.closed)
GROUP BY a.instrument, a.rater, a.session_number, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
