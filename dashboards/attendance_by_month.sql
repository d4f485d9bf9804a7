/*
title = "Attendance by month"
question = "How many booked sessions are attended, month by month?"
note = "Attended of attended, missed and cancelled late by the client. Timely cancellations and the clinic's own stand apart; appointments still to come are left out."

[columns]
month = "First day of the month."
attended_count = "Attended."
no_show_count = "Missed without notice."
late_cancel_count = "Cancelled late by the client."
cancelled_count = "Cancelled in time by the client, or by the clinic; not in the denominator."
attended_share = "Attended of attended, missed and cancelled late; null where there were none."
*/
SELECT
    date_trunc('month', session_date)::DATE AS month,
    count(*) FILTER (status = 'attended') AS attended_count,
    count(*) FILTER (status = 'no_show') AS no_show_count,
    count(*) FILTER (status = 'late_cancel') AS late_cancel_count,
    count(*) FILTER (status IN ('cancelled_by_client', 'cancelled_by_clinic')) AS cancelled_count,
    round(attended_count / nullif(attended_count + no_show_count + late_cancel_count, 0), 3) AS attended_share
FROM appointments
WHERE status <> 'scheduled'
GROUP BY month
ORDER BY month
