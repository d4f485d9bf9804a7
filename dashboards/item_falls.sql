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
y_title = "Falls when the total falls"
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
WITH falls AS (
    SELECT a.instrument, a.rater, a.rater_number, a.client_id, p.site, p.program, a.session_id, b.session_id AS session_before
    FROM alliance AS a
    JOIN scales AS s ON s.instrument = a.instrument AND s.scale = 'total' AND NOT contains(s.items, 'R')
    JOIN placed_episodes AS p ON p.episode_id = a.episode_id
    JOIN sessions AS b ON b.episode_id = a.episode_id AND b.therapist_id IS NOT DISTINCT FROM a.therapist_id
        AND b.dyad_session_number = a.dyad_session_number - a.gap_sessions
    ANTI JOIN other_raters AS o ON o.episode_id = a.episode_id AND o.rater = a.rater
        AND o.rater_number = a.rater_number
    CROSS JOIN load.closed AS c
    WHERE a.scale = 'total' AND a.change < 0
        AND a.session_date < c.closed_to AND a.session_date >= c.closed_to - INTERVAL 24 MONTH
),
told AS (
    SELECT f.instrument, f.rater, f.client_id, f.site, f.program, generate_subscripts(h.answers, 1)::INTEGER AS item,
        unnest(h.answers) AS value, unnest(hb.answers) AS before
    FROM falls AS f
    JOIN responses AS r ON r.session_id = f.session_id AND r.instrument = f.instrument AND r.rater = f.rater
        AND r.rater_number = f.rater_number
    JOIN responses AS b ON b.session_id = f.session_before AND b.instrument = f.instrument AND b.rater = f.rater
        AND b.rater_number = f.rater_number
    JOIN history.responses AS h ON h.source = r.source AND h.response_id = r.response_id
    JOIN history.responses AS hb ON hb.source = b.source AND hb.response_id = b.response_id
    WHERE r.is_used AND b.is_used AND h.known_to IS NULL AND hb.known_to IS NULL
),
of_client AS (
    SELECT instrument, rater, item, site, program, count(*) AS falls, count(*) FILTER (value < before) AS fell
    FROM told
    WHERE value IS NOT NULL AND before IS NOT NULL
    GROUP BY instrument, rater, item, client_id, GROUPING SETS ((), (site), (program))
)
SELECT
    instrument,
    rater,
    item,
    coalesce(site, 'All') AS site,
    coalesce(program, 'All') AS program,
    sum(falls)::INTEGER AS fall_count,
    count(*)::INTEGER AS client_count,
    sum(fell)::INTEGER AS fell_count,
    count(*) FILTER (fell > 0)::INTEGER AS fell_client_count,
    count(*) FILTER (fell < falls)::INTEGER AS other_client_count
FROM of_client
GROUP BY instrument, rater, item, site, program
ORDER BY ALL
