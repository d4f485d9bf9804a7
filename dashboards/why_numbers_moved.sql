/*
title = "Why a number moved"
question = "Which numbers moved last, and why?"
answer = """
'The load of ' || any_value(night) || ' moved ' || count(DISTINCT headline) FILTER (movement <> 0) || ' numbers; '
    || arg_max(headline, abs(movement_share)) || ' by the most, ' || round(100 * max_by(movement_share, abs(movement_share)), 2) || ' % of what it was, for '
    || arg_max(cause, abs(movement_share)) || ' records.'"""
group = "Records"
order = 940
audience = "analysts"
alt = "A bar per number and cause: by how much of its value it moved."
note = "The newest load that moved anything. Causes are told one after the other, so that they add up: erased, vanished, corrected, new, then changed definitions. load.movement_between(first, last) tells it for any two loads. What loads before an erasure moved is not told."

[chart]
kind = "bars"
x = "headline"
y = "movement_share"
series = "cause"
y_title = "Movement, of the value before"

[columns]
night = "The load's day on the clinic's clock."
headline = "The number, and of what."
cause = "Why the rows changed."
value_before = "The number before this cause."
value_after = "The number after it."
movement = "By how much the cause moved it."
movement_share = "The movement, as a share of the value before."
*/
SELECT
    strftime(l.as_of AT TIME ZONE c.time_zone, '%d %B %Y') AS night,
    replace(concat_ws(', ', m.headline, nullif(m.part, '')), '_', ' ') AS headline,
    m.cause,
    round(m.value_before, 4) AS value_before,
    round(m.value_after, 4) AS value_after,
    round(m.movement, 4) AS movement,
    round(m.movement / nullif(m.value_before, 0), 4) AS movement_share
FROM load.why_it_moved AS m
JOIN load.loads AS l USING (load_id)
CROSS JOIN load.current AS c
WHERE m.load_id = (SELECT max(load_id) FROM load.why_it_moved) AND m.not_told IS NULL
ORDER BY m.headline, m.part, m.value_before
