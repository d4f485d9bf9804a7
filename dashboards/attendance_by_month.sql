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
y_title = "Attended, of booked"
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
WITH of_client AS (
    SELECT strftime(a.session_date, '%Y-%m') AS month, p.site, p.program, count(*) AS booked,
        count(*) FILTER (a.status = 'attended') AS attended, count(*) FILTER (a.status = 'no_show') AS no_show,
        count(*) FILTER (a.status = 'late_cancel') AS late_cancel
    FROM appointments AS a
    JOIN placed_episodes AS p USING (episode_id)
    CROSS JOIN load.closed AS c
    WHERE a.status IN ('attended', 'no_show', 'late_cancel') AND a.is_treatment
        AND a.session_date < c.closed_to AND a.session_date >= c.closed_to - INTERVAL 24 MONTH
    GROUP BY month, a.client_id, GROUPING SETS ((), (p.site), (p.program))
)
SELECT
    month,
    coalesce(site, 'All') AS site,
    coalesce(program, 'All') AS program,
    count(*)::INTEGER AS client_count,
    sum(booked)::INTEGER AS booked_count,
    sum(attended)::INTEGER AS attended_count,
    sum(no_show)::INTEGER AS no_show_count,
    sum(late_cancel)::INTEGER AS late_cancel_count,
    count(*) FILTER (attended > 0)::INTEGER AS attending_client_count,
    count(*) FILTER (no_show > 0)::INTEGER AS no_show_client_count,
    count(*) FILTER (late_cancel > 0)::INTEGER AS late_cancel_client_count,
    count(*) FILTER (attended < booked)::INTEGER AS missing_client_count,
    count(*) FILTER (no_show < booked)::INTEGER AS other_than_no_show_client_count,
    count(*) FILTER (late_cancel < booked)::INTEGER AS other_than_late_client_count
FROM of_client
GROUP BY month, site, program
ORDER BY ALL
