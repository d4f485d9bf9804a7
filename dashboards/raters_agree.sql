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
FROM alliance_congruence AS a
JOIN placed_episodes AS p USING (episode_id)
JOIN sessions AS s ON s.session_id = a.first_session_id
WHERE a.scale = 'total' AND a.instrument = a.other_instrument AND s.session_date < (SELECT closed_to FROM load.closed)
GROUP BY a.instrument, raters, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
