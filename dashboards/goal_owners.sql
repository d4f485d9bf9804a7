/*
title = "Whose goals"
question = "Who owns the goals of therapy?"
answer = """
round(100 * max(owned_share) FILTER (goal_owner = 'client'))::INTEGER || ' % of the goals are the client''s own.'"""
group = "Collaboration"
order = 220
audience = "shared"
filters = ["site", "program"]
alt = "A bar per owner: the share of goals that are theirs."
note = "Goal-Based Outcomes (Law & Jacob 2015), of the goals whose owner was noted. Goals of one episode are not independent, so the intervals are too narrow. Episodes opened in closed months."

[chart]
kind = "bars"
y_title = "Of the goals"
x = "owned_share"
y = "goal_owner"
low = "low"
high = "high"
unit = "percent"

[columns]
goal_owner = "Whose goal it is."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
goal_count = "Goals whose owner was noted."
client_count = "Their clients."
owned_count = "Goals of this owner."
owned_client_count = "Clients with one."
other_client_count = "Clients with one of another owner."
owned_share = "Share of the goals."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
owned_share = "round(owned_count / nullif(goal_count, 0), 2)"
low = "floor(100 * wilson_low(owned_count, goal_count)) / 100"
high = "ceil(100 * wilson_high(owned_count, goal_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["goal_owner", "site", "program"]
counts = ["goal_count"]
shared_out = "goal_owner"
parts = { owned_count = { of = "goal_count", clients = "owned_client_count", other_clients = "other_client_count" } }
behind = ["client_count", "owned_client_count", "other_client_count"]
*/
SELECT
    o.goal_owner,
    coalesce(p.site, 'All') AS site,
    coalesce(p.program, 'All') AS program,
    count(*)::INTEGER AS goal_count,
    count(DISTINCT g.client_id)::INTEGER AS client_count,
    count(*) FILTER (g.goal_owner = o.goal_owner)::INTEGER AS owned_count,
    count(DISTINCT g.client_id) FILTER (g.goal_owner = o.goal_owner)::INTEGER AS owned_client_count,
    count(DISTINCT g.client_id) FILTER (g.goal_owner <> o.goal_owner)::INTEGER AS other_client_count
FROM goals AS g
JOIN placed_episodes AS p USING (episode_id)
JOIN episodes AS e USING (episode_id)
ANTI JOIN other_raters USING (episode_id, rater, rater_number)
CROSS JOIN (SELECT unnest(['client', 'caregiver', 'therapist', 'other']) AS goal_owner) AS o
WHERE g.goal_owner IS NOT NULL AND e.opened_on < (SELECT closed_to FROM load.closed)
GROUP BY o.goal_owner, GROUPING SETS ((), (p.site), (p.program))
ORDER BY ALL
