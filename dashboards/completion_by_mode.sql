/*
title = "Completion by instrument and mode"
question = "Which questionnaires come back, and by which mode of session?"
answer = """
'Between ' || round(100 * min(received_share))::INTEGER || ' and ' || round(100 * max(received_share))::INTEGER
    || ' % of the questionnaires that were due came back.'"""
group = "Engagement"
order = 440
audience = "shared"
alt = "A bar per questionnaire and mode of session: the share of due questionnaires that came back."
note = "Received of due at the treatment sessions of closed months (M03). Questionnaires of one client are not independent."

[chart]
kind = "bars"
y_title = "Came back, of those due"
x = "received_share"
y = "instrument"
series = "modality"
panel = "rater"
unit = "percent"

[columns]
instrument = "The questionnaire."
rater = "Who fills it in."
modality = "The mode of the session."
due_count = "Due."
client_count = "Clients of whom one came."
received_count = "Received."
received_share = "Received of due."

[derived]
received_share = "round(received_count / nullif(due_count, 0), 2)"

[disclosure]
clients = "client_count"
keys = ["instrument", "rater", "modality"]
counts = ["due_count"]
parts = { received_count = { of = "due_count", clients = "client_count" } }
behind = ["client_count"]
*/
WITH answering AS (
    SELECT r.instrument, r.rater, coalesce(s.modality, 'not known') AS modality,
        count(DISTINCT r.client_id)::INTEGER AS client_count
    FROM responses AS r JOIN sessions AS s USING (session_id)
    ANTI JOIN other_raters USING (episode_id, rater, rater_number)
    WHERE r.is_used AND s.is_treatment AND s.session_date < (SELECT closed_to FROM load.closed)
    GROUP BY ALL
),
due AS (
    SELECT instrument, rater, coalesce(modality, 'not known') AS modality, sum(due_count)::INTEGER AS due_count,
        sum(received_count)::INTEGER AS received_count
    FROM completion
    WHERE month_on < (SELECT closed_to FROM load.closed)
    GROUP BY ALL
)
SELECT instrument, rater, modality, due_count, coalesce(client_count, 0)::INTEGER AS client_count, received_count
FROM due LEFT JOIN answering USING (instrument, rater, modality)
ORDER BY ALL
