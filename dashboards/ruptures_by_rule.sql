/*
title = "Possible ruptures and their repair"
question = "How many possible ruptures are repaired, by each rule?"
answer = """
'By the rules, ' || round(100 * min(repaired_share))::INTEGER || ' to ' || round(100 * max(repaired_share))::INTEGER
    || ' % of the possible ruptures were repaired.'"""
group = "Relationship"
order = 30
audience = "shared"
filters = ["site", "program"]
alt = "A bar per rule with its 95 % interval: the share of possible ruptures that were repaired."
note = "A possible rupture is a fall in a score; there is no standard definition, and how many are found depends on the rule (Gumz et al. 2012). Those whose record ends first are left out. Ruptures of one client are not independent, so the intervals are too narrow. Closed months."

[chart]
kind = "bars"
y_title = "Repaired, of the possible ruptures"
x = "repaired_share"
y = "rupture_rule"
low = "low"
high = "high"
panel = "instrument"
series = "rater"
unit = "percent"

[columns]
rupture_rule = "The rule: table rupture_rules."
instrument = "The alliance questionnaire."
rater = "Whose view it is."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
rupture_count = "Possible ruptures of which it is known whether they were repaired."
client_count = "Their clients."
repaired_count = "Repaired."
repaired_client_count = "Clients with one that was repaired."
unrepaired_client_count = "Clients with one that was not."
repaired_share = "Repaired of those known."
low = "Lower end of Wilson's 95 % interval."
high = "Upper end of Wilson's 95 % interval."

[derived]
repaired_share = "round(repaired_count / nullif(rupture_count, 0), 2)"
low = "floor(100 * wilson_low(repaired_count, rupture_count)) / 100"
high = "ceil(100 * wilson_high(repaired_count, rupture_count)) / 100"

[disclosure]
clients = "client_count"
keys = ["rupture_rule", "instrument", "rater", "site", "program"]
counts = ["rupture_count"]
parts = { repaired_count = { of = "rupture_count", clients = "repaired_client_count", other_clients = "unrepaired_client_count" } }
behind = ["client_count", "repaired_client_count", "unrepaired_client_count"]
*/
WITH of_client AS (
    SELECT r.rupture_rule, r.instrument, r.rater, p.site, p.program, count(*) AS ruptures,
        count(*) FILTER (r.is_repaired) AS repaired
    FROM ruptures AS r
    JOIN placed_episodes AS p USING (episode_id)
    ANTI JOIN other_raters USING (episode_id, rater, rater_number)
    WHERE r.is_repaired IS NOT NULL AND r.started_on < (SELECT closed_to FROM load.closed)
    GROUP BY r.rupture_rule, r.instrument, r.rater, r.client_id, GROUPING SETS ((), (p.site), (p.program))
)
SELECT
    rupture_rule,
    instrument,
    rater,
    coalesce(site, 'All') AS site,
    coalesce(program, 'All') AS program,
    sum(ruptures)::INTEGER AS rupture_count,
    count(*)::INTEGER AS client_count,
    sum(repaired)::INTEGER AS repaired_count,
    count(*) FILTER (repaired > 0)::INTEGER AS repaired_client_count,
    count(*) FILTER (repaired < ruptures)::INTEGER AS unrepaired_client_count
FROM of_client
GROUP BY rupture_rule, instrument, rater, site, program
ORDER BY ALL
