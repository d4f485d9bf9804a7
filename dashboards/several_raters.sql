/*
title = "Several raters of one kind"
question = "How often do two parents, or two partners, rate one alliance?"
answer = """
'Several people of a kind rate in up to ' || round(100 * max(several_share))::INTEGER || ' % of the episodes.'"""
group = "Relationship"
order = 45
audience = "shared"
filters = ["site", "program"]
alt = "A bar per kind of rater: the share of episodes in which several people of the kind rate."
note = "Of the episodes in which a kind of rater rated the alliance, those with several people of that kind. The other figures take the one with the most ratings in the episode, so that each client counts once; table other_raters has the others. People are told apart where clinic.toml says rater_is_person. Closed months."

[chart]
kind = "bars"
y_title = "Episodes with several raters"
x = "several_share"
y = "rater"
unit = "percent"

[columns]
rater = "Whose view it is."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
episode_count = "Episodes in which this kind of rater rated the alliance."
client_count = "Their clients."
several_count = "Of them, those with several people of the kind."
several_share = "Their share."

[derived]
several_share = "round(several_count / nullif(episode_count, 0), 2)"

[disclosure]
clients = "client_count"
keys = ["rater", "site", "program"]
counts = ["episode_count"]
parts = { several_count = { of = "episode_count" } }
behind = ["client_count"]
*/
WITH rated AS (
    SELECT DISTINCT episode_id, client_id, rater
    FROM alliance
    WHERE scale = 'total' AND session_date < (SELECT closed_to FROM load.closed)
),
several AS (
    SELECT DISTINCT episode_id, rater, true AS is_so FROM other_raters
)
SELECT
    r.rater,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS episode_count,
    count(DISTINCT r.client_id)::INTEGER AS client_count,
    count(*) FILTER (s.is_so)::INTEGER AS several_count
FROM rated AS r
JOIN placed_episodes AS p USING (episode_id)
LEFT JOIN several AS s USING (episode_id, rater)
GROUP BY r.rater, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
