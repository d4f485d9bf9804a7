/*
title = "Attendance by month"
question = "How many booked sessions are attended, month by month?"
answer = """
'In ' || max(month) FILTER (attended_share IS NOT NULL) || ' ' || round(100 * arg_max(attended_share, month))::INTEGER
    || ' % of the booked sessions were attended.'"""
group = "Engagement"
order = 420
audience = "shared"
filters = ["site", "program"]
alt = "A line: the share of booked sessions that were attended, by month."
note = "Attended of attended, missed and cancelled late by the client. Timely cancellations and the clinic's own stand apart. Closed months of the last two years."

[chart]
kind = "line"
x = "month"
y = "attended_share"
unit = "percent"

[columns]
month = "The month, as '2026-11'."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
client_count = "Clients with a booked session."
booked_count = "Attended, missed and cancelled late."
attended_count = "Attended."
no_show_count = "Missed without notice."
late_cancel_count = "Cancelled late by the client."
attending_client_count = "Clients who attended one."
no_show_client_count = "Clients who missed one without notice."
late_cancel_client_count = "Clients who cancelled one late."
missing_client_count = "Clients who missed or cancelled one."
other_than_no_show_client_count = "Clients who attended one or cancelled one late."
other_than_late_client_count = "Clients who attended or missed one."
attended_share = "Attended of attended, missed and cancelled late; null where there were none."

[derived]
attended_share = "round(attended_count / nullif(booked_count, 0), 2)"

[disclosure]
clients = "client_count"
keys = ["month", "site", "program"]
along = "month"
counts = ["booked_count"]
exhaustive = true
behind = ["client_count", "attending_client_count", "no_show_client_count", "late_cancel_client_count", "missing_client_count", "other_than_no_show_client_count", "other_than_late_client_count"]

[disclosure.parts]
attended_count = { of = "booked_count", clients = "attending_client_count", other_clients = "missing_client_count" }
no_show_count = { of = "booked_count", clients = "no_show_client_count", other_clients = "other_than_no_show_client_count" }
late_cancel_count = { of = "booked_count", clients = "late_cancel_client_count", other_clients = "other_than_late_client_count" }
*/
SELECT
    strftime(a.session_date, '%Y-%m') AS month,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(DISTINCT a.client_id)::INTEGER AS client_count,
    count(*)::INTEGER AS booked_count,
    count(*) FILTER (a.status = 'attended')::INTEGER AS attended_count,
    count(*) FILTER (a.status = 'no_show')::INTEGER AS no_show_count,
    count(*) FILTER (a.status = 'late_cancel')::INTEGER AS late_cancel_count,
    count(DISTINCT a.client_id) FILTER (a.status = 'attended')::INTEGER AS attending_client_count,
    count(DISTINCT a.client_id) FILTER (a.status = 'no_show')::INTEGER AS no_show_client_count,
    count(DISTINCT a.client_id) FILTER (a.status = 'late_cancel')::INTEGER AS late_cancel_client_count,
    count(DISTINCT a.client_id) FILTER (a.status <> 'attended')::INTEGER AS missing_client_count,
    count(DISTINCT a.client_id) FILTER (a.status <> 'no_show')::INTEGER AS other_than_no_show_client_count,
    count(DISTINCT a.client_id) FILTER (a.status <> 'late_cancel')::INTEGER AS other_than_late_client_count
FROM appointments AS a
JOIN placed_episodes AS p USING (episode_id)
CROSS JOIN load.closed AS c
WHERE a.status IN ('attended', 'no_show', 'late_cancel') AND a.is_treatment
    AND a.session_date < c.closed_to AND a.session_date >= c.closed_to - INTERVAL 24 MONTH
GROUP BY month, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
