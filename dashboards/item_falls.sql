/*
title = "Which item falls"
question = "When the alliance falls, which item falls with it?"
answer = """
'Item ' || arg_max(item, fell_share) || ' falls most often: in ' || round(100 * max(fell_share))::INTEGER
    || ' % of the sessions in which the total fell.'"""
group = "Relationship"
order = 20
audience = "shared"
filters = ["site", "program"]
alt = "A bar per item and questionnaire: in how many of the sessions with a fall of the total it fell."
note = "Sessions whose total is below the same rater's last in the dyad; of each item, whether its answer is below the one then. Items are numbered as published: their wording is licensed. Questionnaires with reversed items are left out. Closed months of the last two years."

[chart]
kind = "bars"
x = "fell_share"
y = "item"
panel = "instrument"
series = "rater"
unit = "percent"

[columns]
instrument = "The alliance questionnaire."
rater = "Whose view it is."
item = "The item's number, as published."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
fall_count = "Sessions in which the total fell and the item was answered then and before."
client_count = "Their clients."
fell_count = "Of them, those in which the item fell."
fell_client_count = "Clients of whom it fell."
other_client_count = "Clients of whom it did not fall in one of them."
fell_share = "Share in which the item fell."

[derived]
fell_share = "round(fell_count / nullif(fall_count, 0), 2)"

[disclosure]
clients = "client_count"
keys = ["instrument", "rater", "item", "site", "program"]
counts = ["fall_count"]
parts = { fell_count = { of = "fall_count", clients = "fell_client_count", other_clients = "other_client_count" } }
behind = ["client_count", "fell_client_count", "other_client_count"]
*/
WITH answered AS (
    SELECT a.instrument, a.rater, a.episode_id, a.client_id, a.change, a.session_date, i.item, i.value,
        lag(i.value) OVER (PARTITION BY a.episode_id, a.therapist_id, a.instrument, a.rater, i.item
            ORDER BY a.session_number) AS before
    FROM alliance AS a
    JOIN item_responses AS i ON i.session_id = a.session_id AND i.instrument = a.instrument AND i.rater = a.rater
    JOIN scales AS s ON s.instrument = a.instrument AND s.scale = 'total' AND NOT contains(s.items, 'R')
    WHERE a.scale = 'total' AND i.is_used
)
SELECT
    f.instrument,
    f.rater,
    f.item,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS fall_count,
    count(DISTINCT f.client_id)::INTEGER AS client_count,
    count(*) FILTER (f.value < f.before)::INTEGER AS fell_count,
    count(DISTINCT f.client_id) FILTER (f.value < f.before)::INTEGER AS fell_client_count,
    count(DISTINCT f.client_id) FILTER (f.value >= f.before)::INTEGER AS other_client_count
FROM answered AS f
JOIN placed_episodes AS p USING (episode_id)
CROSS JOIN load.closed AS c
WHERE f.change < 0 AND f.before IS NOT NULL
    AND f.session_date < c.closed_to AND f.session_date >= c.closed_to - INTERVAL 24 MONTH
GROUP BY f.instrument, f.rater, f.item, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
