/*
title = "Freshness by source"
question = "Is every source fresh?"
answer = """
CASE WHEN bool_or(is_late) THEN string_agg(source, ', ' ORDER BY source) FILTER (is_late) || CASE WHEN count(*) FILTER (is_late) = 1 THEN ' is' ELSE ' are' END || ' late.'
    ELSE 'Nothing is late.' END
    || coalesce(' The oldest newest export is that of ' || arg_max(source, age_hours) || ', ' || max(age_hours) || ' hours before the night.', '')"""
group = "Records"
order = 925
audience = "operations"
alt = "A bar per source: how many hours its newest export was old when the night ran."
note = "Late: older than the source's `every` and twelve hours. A source without `every` is never late. A dash: nothing ever came."

[chart]
kind = "bars"
x = "source"
y = "age_hours"
y_title = "Hours from its newest export to the night"

[columns]
source = "The section of clinic.toml."
age_hours = "Hours from its newest export to the newest load's as_of; null where none ever came."
every_hours = "How often it should come."
is_late = "Whether it is overdue."
last_exported = "When its newest export was made, on the clinic's clock."
file_count = "Files ever read."
*/
SELECT
    s.source,
    date_diff('hour', s.last_exported_at, c.as_of)::INTEGER AS age_hours,
    s.every_hours,
    s.is_late,
    strftime(s.last_exported_at AT TIME ZONE c.time_zone, '%Y-%m-%d %H:%M') AS last_exported,
    s.file_count
FROM load.sources AS s CROSS JOIN load.current AS c
ORDER BY age_hours DESC NULLS FIRST, s.source
