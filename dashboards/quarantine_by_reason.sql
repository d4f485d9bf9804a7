/*
title = "Quarantine by reason"
question = "Which records wait in quarantine, and why?"
answer = """
CASE WHEN sum(waiting_count) > 0 THEN sum(waiting_count) || ' records wait, most of them (' || max(waiting_count) || ') for ' || replace(arg_max(rule, waiting_count), '_', ' ') || '.'
    ELSE 'Nothing waits.' END || ' The newest night held back ' || sum(newest_count) || '.'"""
group = "Records"
order = 920
audience = "operations"
alt = "A bar per rule and kind of record: how many wait."
note = "They are read again when their file, the rules or the clinic file change, or a newer export brings them right. rapport inbox lists, shows and discards them; no value stands here."

[chart]
kind = "bars"
x = "rule"
y = "waiting_count"
series = "records"
y_title = "Records waiting"

[columns]
rule = "The rule they broke."
records = "Kind of record."
sources = "Sections of clinic.toml."
waiting_count = "Physical records that wait."
newest_count = "Physical records that the newest load held back."
settled_count = "Physical records that were held back and are released, discarded, or gone with their file."
*/
SELECT
    rule,
    records,
    string_agg(DISTINCT source, ', ' ORDER BY source) AS sources,
    coalesce(sum(record_count) FILTER (state = 'waiting'), 0)::INTEGER AS waiting_count,
    coalesce(sum(record_count) FILTER (load_id = (SELECT load_id FROM load.current)), 0)::INTEGER AS newest_count,
    coalesce(sum(record_count) FILTER (state <> 'waiting'), 0)::INTEGER AS settled_count
FROM load.quarantine
GROUP BY rule, records
ORDER BY sum(waiting_count) OVER (PARTITION BY rule) DESC, rule, waiting_count DESC, records
