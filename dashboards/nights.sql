/*
title = "Nights"
question = "Did the last nights publish?"
answer = """
CASE WHEN count(*) FILTER (outcome <> 'published') = 0
    THEN 'All of the last ' || count(*) || ' published'
    ELSE count(*) FILTER (outcome = 'published') || ' of the last ' || count(*) || ' published; '
        || count(*) FILTER (outcome = 'failed') || ' failed, the latest on ' || coalesce(max(night) FILTER (outcome = 'failed'), 'no night')
END || '. The newest took ' || coalesce(arg_max(seconds, load_id)::VARCHAR, 'an unknown number of') || ' seconds.'"""
group = "Nights"
order = 900
audience = "operations"
alt = "A bar per load: how many seconds it took; a dash where it failed."
note = "The last 14 loads: nights, and what ops changed by hand. A dash: it failed, or its steps were not booked; the reason stands in the table. The seconds are those of the booked steps, without publishing."

[chart]
kind = "bars"
x = "night"
y = "seconds"
y_title = "Seconds"

[columns]
load_id = "The load."
night = "Its day on the clinic's clock, and what it was if no night that published."
purpose = "What it was for."
outcome = "Whether it published; withdrawn: an older version was restored over it."
seconds = "How long its steps took, without publishing; null where it failed."
reason = "Why it failed, or was done."
*/
SELECT
    l.load_id,
    strftime(l.as_of AT TIME ZONE c.time_zone, '%a %d %b') || CASE
        WHEN l.outcome = 'failed' THEN ', failed' WHEN l.purpose <> 'night' THEN ', ' || l.purpose ELSE '' END
        || CASE WHEN count(*) OVER (PARTITION BY l.as_of, l.outcome, l.purpose) > 1 THEN ' ' || l.load_id ELSE '' END AS night,
    l.purpose,
    l.outcome,
    round(s.seconds, 1) AS seconds,
    l.reason
FROM load.loads AS l
CROSS JOIN load.current AS c
LEFT JOIN (SELECT load_id, sum(seconds) AS seconds FROM load.steps GROUP BY load_id) AS s ON s.load_id = l.load_id
QUALIFY row_number() OVER (ORDER BY l.load_id DESC) <= 14
ORDER BY l.load_id DESC
