/*
title = "Alliance by session"
question = "Does the working alliance grow as therapy goes on?"
note = "Mean of each rater's total, as percent of maximum possible. Clients who leave early drop from later sessions, so part of any rise is who stays."

[columns]
instrument = "The alliance questionnaire."
rater = "Whose view it is."
session_number = "Rank of the treatment session within its episode."
client_count = "Clients with a score at that session."
mean_pomp = "Mean percent of maximum possible; null below five clients."
mean_score = "Mean score; null below five clients."
*/
SELECT
    instrument,
    rater,
    session_number,
    count(DISTINCT client_id) AS client_count,
    CASE WHEN count(DISTINCT client_id) >= 5 THEN round(avg(pomp), 1) END AS mean_pomp,
    CASE WHEN count(DISTINCT client_id) >= 5 THEN round(avg(score), 1) END AS mean_score
FROM alliance
WHERE scale = 'total' AND session_number IS NOT NULL
GROUP BY instrument, rater, session_number
ORDER BY instrument, rater, session_number
