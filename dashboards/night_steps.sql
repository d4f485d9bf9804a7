/*
title = "Steps of the nights"
question = "Where does the night's time go?"
answer = """
'Most of it goes into ' || arg_max(step, seconds) FILTER (seconds IS NOT NULL AND load_id = (SELECT load_id FROM load.current)) || ': '
    || max(seconds) FILTER (load_id = (SELECT load_id FROM load.current)) || ' of the newest night''s '
    || round(sum(seconds) FILTER (load_id = (SELECT load_id FROM load.current)), 1) || ' seconds.'"""
group = "Nights"
order = 910
audience = "operations"
alt = "A cell per night and step: the seconds it took; a dash where the night failed."
note = "Seconds on the clock, of the last 8 nights. A dash: the night failed, and its steps are not booked. The step that publishes, and what follows it, cannot book themselves."

[chart]
kind = "heatmap"
x = "night"
y = "step"
value = "seconds"
y_title = "Seconds"

[columns]
load_id = "The load."
night = "Its day on the clinic's clock."
step = "The step."
position = "The step's place in the night."
seconds = "How long it took on the clock; null where the night failed."
cpu_seconds = "Processor time it took."
*/
SELECT
    l.load_id,
    strftime(l.as_of AT TIME ZONE c.time_zone, '%d %b') AS night,
    n.step,
    n.position,
    round(s.seconds, 1) AS seconds,
    round(s.cpu_seconds, 1) AS cpu_seconds
FROM (FROM load.loads WHERE purpose = 'night' QUALIFY row_number() OVER (ORDER BY load_id DESC) <= 8) AS l
CROSS JOIN load.current AS c
CROSS JOIN (SELECT step, max(position) AS position FROM load.steps GROUP BY step) AS n
LEFT JOIN load.steps AS s ON s.load_id = l.load_id AND s.step = n.step
ORDER BY l.load_id, n.position
