/*
title = "Last night's quarantine"
question = "Which records did last night hold back, and why?"
answer = "'Last night held back ' || sum(record_count) || ' records, most of them for ' || arg_max(rule, record_count) || '.'"
group = "Operations"
order = 910
audience = "operations"
alt = "A bar per rule: the records that last night held back."
note = "Records wait in load.quarantine and are read again when the rules or the clinic file change."

[chart]
kind = "bars"
x = "record_count"
y = "rule"
series = "source"

[columns]
source = "The section of clinic.toml."
records = "Kind of record."
rule = "The rule they broke."
column_name = "The column, where the rule is about one."
record_count = "Physical records held back."
*/
SELECT source, records, rule, column_name, sum(record_count)::INTEGER AS record_count
FROM load.quarantine
WHERE load_id = (SELECT load_id FROM load.current)
GROUP BY source, records, rule, column_name
ORDER BY record_count DESC, source, rule, column_name
