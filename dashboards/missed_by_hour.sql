/*
title = "Missed appointments by weekday and hour"
question = "When are appointments missed?"
answer = """
'Most are missed on ' || ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays',
    'Sundays'][arg_max(weekday, missed_share)] || ' at ' || arg_max(hour, missed_share) || ':00: '
    || round(100 * max(missed_share))::INTEGER || ' %.'"""
group = "Engagement"
order = 425
audience = "shared"
filters = ["site", "program"]
alt = "A grid of weekdays and hours: the darker, the more of the booked sessions were missed."
note = "Missed without notice or cancelled late by the client, of those and the attended. Local time of the site. Closed months of the last two years."

[chart]
kind = "heatmap"
y_title = "Missed, of booked"
x_title = "Start hour"
x = "hour"
y = "weekday"
value = "missed_share"
unit = "percent"

[columns]
weekday = "1 Monday to 7 Sunday."
hour = "Hour of the day in the site's zone."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
booked_count = "Attended, missed and cancelled late."
client_count = "Their clients."
missed_count = "Missed or cancelled late."
missed_client_count = "Clients who missed one."
attended_client_count = "Clients who attended one."
missed_share = "Missed of booked."

[derived]
missed_share = "round(missed_count / nullif(booked_count, 0), 2)"

[disclosure]
clients = "client_count"
keys = ["weekday", "hour", "site", "program"]
along = "hour"
counts = ["booked_count"]
parts = { missed_count = { of = "booked_count", clients = "missed_client_count", other_clients = "attended_client_count" } }
behind = ["client_count", "missed_client_count", "attended_client_count"]
*/
WITH of_episode AS (
    SELECT a.weekday, a.hour, a.episode_id, count(*) AS booked, count(*) FILTER (a.status = 'attended') AS attended
    FROM appointments AS a
    CROSS JOIN load.closed AS c
    WHERE a.status IN ('attended', 'no_show', 'late_cancel') AND a.is_treatment
        AND a.session_date < c.closed_to AND a.session_date >= c.closed_to - INTERVAL 24 MONTH
    GROUP BY a.weekday, a.hour, a.episode_id
)
SELECT
    a.weekday,
    a.hour,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    sum(a.booked)::INTEGER AS booked_count,
    count(DISTINCT p.client_id)::INTEGER AS client_count,
    sum(a.booked - a.attended)::INTEGER AS missed_count,
    count(DISTINCT p.client_id) FILTER (a.attended < a.booked)::INTEGER AS missed_client_count,
    count(DISTINCT p.client_id) FILTER (a.attended > 0)::INTEGER AS attended_client_count
FROM of_episode AS a
JOIN placed_episodes AS p USING (episode_id)
GROUP BY a.weekday, a.hour, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
