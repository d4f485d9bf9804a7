/*
title = "Reliable change by quarter"
question = "How many improve reliably, recover, or deteriorate?"
answer = """
'In ' || max(quarter) FILTER (measure = 'improved' AND so_share IS NOT NULL) || ' '
    || round(100 * arg_max(so_share, quarter || instrument) FILTER (measure = 'improved' AND so_share IS NOT NULL))::INTEGER
    || ' % had improved reliably at their last ' || upper(replace(arg_max(instrument, quarter || instrument)
        FILTER (measure = 'improved' AND so_share IS NOT NULL), '_', '-')) || '.'"""
group = "Outcome"
order = 510
audience = "shared"
filters = ["site", "program"]
alt = "A line per measure with its 95 % interval: the share improved, recovered and deteriorated, by quarter."
note = "Episodes that are over, by the quarter of the latest score. Improved and deteriorated: by more than error (table reliable_changes), of all with a first and a latest score. Recovered: reliably improved and from above to below the cut-off, of those who were cases at first. Closed months."

[chart]
kind = "line"
y_title = "Of the episodes that are over"
x = "quarter"
y = "so_share"
low = "low"
high = "high"
series = "measure"
panel = "instrument"
unit = "percent"

[columns]
instrument = "The outcome measure."
rater = "Who rated."
measure = "improved, recovered or deteriorated."
quarter = "The quarter of the latest score, as '2026-Q3'."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
assessed_count = "Episodes that can be assessed."
client_count = "Their clients."
so_count = "Of which it is so."
so_share = "Share of those assessed."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
so_share = "round(so_count / nullif(assessed_count, 0), 2)"
low = "floor(100 * wilson_low(so_count, assessed_count)) / 100"
high = "ceil(100 * wilson_high(so_count, assessed_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["instrument", "rater", "measure", "quarter", "site", "program"]
along = "quarter"
counts = ["assessed_count"]
parts = { so_count = { of = "assessed_count" } }
behind = ["client_count"]
*/
WITH over AS (
    SELECT o.* FROM outcomes AS o JOIN retention AS r USING (episode_id)
    ANTI JOIN other_raters USING (episode_id, rater, rater_number)
    WHERE r.has_ended AND o.basis = 'computed' AND o.compared = 'score' AND o.scale = 'total'
        AND o.last_scored_on < (SELECT closed_to FROM load.closed)
),
told AS (
    SELECT 'improved' AS measure, reliable_class = 'improved' AS is_so, over.* FROM over
    UNION ALL SELECT 'deteriorated', reliable_class = 'deteriorated', over.* FROM over
    UNION ALL SELECT 'recovered', jacobson_truax_class = 'recovered', over.* FROM over WHERE is_case_first
)
SELECT
    t.instrument,
    t.rater,
    t.measure,
    strftime(t.last_scored_on, '%Y-Q') || quarter(t.last_scored_on) AS quarter,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS assessed_count,
    count(DISTINCT t.client_id)::INTEGER AS client_count,
    count(*) FILTER (t.is_so)::INTEGER AS so_count
FROM told AS t
JOIN placed_episodes AS p USING (episode_id)
WHERE t.is_so IS NOT NULL
GROUP BY t.instrument, t.rater, t.measure, quarter, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
