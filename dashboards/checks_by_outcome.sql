/*
title = "Checks by outcome"
question = "Which checks ran, and what did they find?"
answer = """
'The newest night: ' || coalesce(sum(check_count) FILTER (outcome = 'passed' AND is_newest), 0) || ' checks passed, '
    || coalesce(sum(check_count) FILTER (outcome = 'found rows' AND is_newest), 0) || ' found rows to set aside, '
    || CASE WHEN coalesce(sum(check_count) FILTER (outcome = 'did not run'), 0) = 0 THEN 'and none failed to run.'
        ELSE 'and ' || sum(check_count) FILTER (outcome = 'did not run') || ' of these nights was stopped by a check that did not run, the latest on '
            || arg_max(night, load_id) FILTER (outcome = 'did not run' AND check_count > 0) || '.' END"""
group = "Records"
order = 930
audience = "operations"
alt = "A cell per night and outcome: how many checks passed, found rows, or did not run."
note = "The last 8 nights. A check that finds rows sets them aside: they wait in quarantine. A check that cannot run is neither passed nor failed: it stops the night, and yesterday's warehouse stands. A dash: the night stopped before, so nothing is known."

[chart]
kind = "heatmap"
x = "night"
y = "outcome"
value = "check_count"
y_title = "Checks"

[columns]
load_id = "The load."
night = "Its day on the clinic's clock."
outcome = "Passed, found rows, or did not run."
check_count = "Checks with that outcome; null where the night stopped before they ended."
is_newest = "True for the newest load."
*/
SELECT
    l.load_id,
    strftime(l.as_of AT TIME ZONE c.time_zone, '%d %b') AS night,
    o.outcome,
    CASE
        WHEN o.outcome = 'did not run' THEN coalesce(l.reason LIKE '%could not run%', false)::INTEGER
        WHEN l.outcome <> 'failed' THEN (
            SELECT count(*)::INTEGER FROM load.expectation_results AS r
            WHERE r.load_id = l.load_id AND r.outcome = o.booked)
    END AS check_count,
    l.load_id = c.load_id AS is_newest
FROM (FROM load.loads WHERE purpose = 'night' QUALIFY row_number() OVER (ORDER BY load_id DESC) <= 8) AS l
CROSS JOIN load.current AS c
CROSS JOIN (VALUES ('passed', 'passed', 1), ('found rows', 'failed', 2), ('did not run', 'did_not_run', 3)) AS o(outcome, booked, place)
ORDER BY l.load_id, o.place
