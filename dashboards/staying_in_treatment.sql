/*
title = "Staying in treatment"
question = "After how many sessions do clients drop out?"
answer = """
'After ' || max(session_number) FILTER (staying_share IS NOT NULL) || ' sessions '
    || round(100 * arg_max(staying_share, session_number))::INTEGER || ' % have not dropped out.'"""
group = "Engagement"
order = 410
audience = "shared"
filters = ["program"]
alt = "Steps going down: the share of clients not yet dropped out, by attended sessions, with the numbers at risk below."
note = "Kaplan-Meier; each client counts once, with the first episode in which treatment began; dropout is a missed last appointment without return within 60 days; planned endings and those still in therapy are censored. Steps in which few dropped out are joined with the next."

[chart]
kind = "survival"
y_title = "Not dropped out"
x = "session_number"
y = "staying_share"
at_risk = "at_risk_count"
unit = "percent"
x_title = "Treatment sessions attended"

[columns]
program = "The program of that episode, or 'All'."
session_number = "Treatment sessions attended."
at_risk_count = "Clients with at least so many sessions."
dropout_count = "Dropouts after exactly so many."
staying_share = "Share not dropped out after so many sessions."

[disclosure]
clients = "at_risk_count"
keys = ["program", "session_number"]
along = "session_number"
curve = { share = "staying_share", at_risk = "at_risk_count", events = "dropout_count" }
behind = ["dropout_count"]
*/
SELECT
    CASE WHEN c.grouping = 'all' THEN 'All' ELSE c.group_name END AS program,
    c.session_number,
    c.at_risk_count,
    c.dropout_count,
    c.staying_share
FROM retention_curves AS c
WHERE c.curve = 'missed_last' AND c.grouping IN ('all', 'program') AND c.session_number <= 30
ORDER BY ALL
