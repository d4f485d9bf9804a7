/*
title = "Dropout under six definitions"
question = "How many drop out, and how much does the definition matter?"
answer = """
'Between ' || round(100 * min(dropout_share))::INTEGER || ' and ' || round(100 * max(dropout_share))::INTEGER
    || ' % drop out: it depends on the definition.'"""
group = "Engagement"
order = 415
audience = "shared"
filters = ["site", "program"]
alt = "A bar per definition with its 95 % interval: the share of episodes that are dropouts by it."
note = "There is no one definition of dropout, and the rate depends on it (Swift & Greenberg 2012). Each is of the episodes that it can assess: table retention. Episodes opened in closed months."

[chart]
kind = "bars"
y_title = "Called dropout"
x = "dropout_share"
y = "definition"
low = "low"
high = "high"
unit = "percent"

[columns]
definition = "The definition: see table retention."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
assessed_count = "Episodes that it can assess."
client_count = "Their clients."
dropout_count = "Dropouts by it."
dropout_share = "Dropouts of those assessed."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
dropout_share = "round(dropout_count / nullif(assessed_count, 0), 2)"
low = "floor(100 * wilson_low(dropout_count, assessed_count)) / 100"
high = "ceil(100 * wilson_high(dropout_count, assessed_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["definition", "site", "program"]
counts = ["assessed_count"]
parts = { dropout_count = { of = "assessed_count" } }
behind = ["client_count"]
*/
WITH told AS (
    UNPIVOT (
        SELECT episode_id, client_id, is_dropout_judged, is_dropout_missed_last, is_dropout_below_median,
            is_dropout_below_dose, is_dropout_unchanged, is_dropout_unilateral
        FROM retention
        WHERE opened_on < (SELECT closed_to FROM load.closed)
    )
    ON COLUMNS('is_dropout_.*') INTO NAME definition VALUE is_dropout
)
SELECT
    replace(replace(t.definition, 'is_dropout_', ''), '_', ' ') AS definition,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS assessed_count,
    count(DISTINCT t.client_id)::INTEGER AS client_count,
    count(*) FILTER (t.is_dropout)::INTEGER AS dropout_count
FROM told AS t
JOIN placed_episodes AS p USING (episode_id)
GROUP BY t.definition, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
