/*
title = "Do raters agree"
question = "Who sees more in the alliance, and how far apart are two raters?"
answer = """
'Where it can be shown, two raters differ by ' || round(min(mean_absolute_difference))::INTEGER || ' to '
    || round(max(mean_absolute_difference))::INTEGER || ' % of the maximum.'"""
group = "Relationship"
order = 40
audience = "shared"
filters = ["site", "program"]
alt = "A bar per pair of raters: by how much the second sees less or more in the alliance than the first."
note = "Mean over dyads of the difference between two raters' totals in the sessions that both rated, in percent of the maximum; below 0 the second sees less. Direction is not agreement over time, which is beside it (Atzil-Slonim et al. 2015). As of the night that made it."

[chart]
kind = "bars"
y_title = "Second minus first, percent of maximum"
x = "mean_difference"
y = "raters"
panel = "instrument"
unit = "percent of maximum"

[columns]
instrument = "The alliance questionnaire."
raters = "The two raters."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
dyad_count = "Dyads with sessions that both rated."
client_count = "Their clients."
mean_difference = "Mean of the second's view minus the first's, in percent of the maximum."
mean_absolute_difference = "Mean distance between the two, whichever is higher."
congruent_count = "Dyads in which it is known whether the two move together."
mean_congruence = "Mean of their correlations over sessions."

[disclosure]
clients = "client_count"
keys = ["instrument", "raters", "site", "program"]
counts = ["dyad_count", "congruent_count"]
behind = ["client_count"]

[disclosure.means]
mean_difference = { of = "dyad_count", range = [-100, 100] }
mean_absolute_difference = { of = "dyad_count", range = [0, 100] }
mean_congruence = { of = "congruent_count", range = [-1, 1] }
*/
-- Of several people of a kind the one who counts is compared with other kinds. Two of a kind are the first two.
WITH pairs AS (
    SELECT c.*
    FROM alliance_congruence AS c
    ANTI JOIN other_raters AS o
        ON o.episode_id = c.episode_id AND o.rater = c.rater AND o.rater_number = c.rater_number
    ANTI JOIN other_raters AS q
        ON q.episode_id = c.episode_id AND q.rater = c.other_rater AND q.rater_number = c.other_rater_number
    WHERE c.rater <> c.other_rater
    UNION ALL
    SELECT * FROM alliance_congruence
    WHERE rater = other_rater AND rater_number = 1 AND other_rater_number = 2
)
SELECT
    a.instrument,
    a.rater || ' and ' || a.other_rater AS raters,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS dyad_count,
    count(DISTINCT a.client_id)::INTEGER AS client_count,
    avg(a.directional_discrepancy) AS mean_difference,
    avg(a.mean_absolute_difference) AS mean_absolute_difference,
    count(a.congruence_correlation)::INTEGER AS congruent_count,
    avg(a.congruence_correlation) AS mean_congruence
FROM pairs AS a
JOIN placed_episodes AS p USING (episode_id)
JOIN sessions AS s ON s.session_id = a.first_session_id
WHERE a.scale = 'total' AND a.instrument = a.other_instrument AND s.session_date < (SELECT closed_to FROM load.closed)
GROUP BY a.instrument, raters, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
