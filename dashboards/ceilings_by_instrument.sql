/*
title = "Ceilings"
question = "Can the questionnaires tell good from very good here?"
answer = """
'Between ' || round(100 * min(ceiling_share))::INTEGER || ' and ' || round(100 * max(ceiling_share))::INTEGER
    || ' % of the ratings are the highest possible; above 15 % is a ceiling problem.'"""
group = "Outcome"
order = 550
audience = "shared"
filters = ["site", "program"]
alt = "A bar per questionnaire and rater: the share of ratings that are the highest possible."
note = "Ratings of treatment sessions at the highest possible total (M04); above 15 % a questionnaire hardly tells good from very good (Terwee et al. 2007). Ratings of one client are not independent. Closed months."

[chart]
kind = "bars"
y_title = "Highest possible rating"
x = "ceiling_share"
y = "instrument"
series = "rater"
unit = "percent"

[columns]
instrument = "The alliance questionnaire."
rater = "Whose view it is."
site = "The site of the episode's first treatment session, or 'All'."
program = "The episode's program, or 'All'."
rated_count = "Ratings."
client_count = "Their clients."
ceiling_count = "The highest possible."
ceiling_client_count = "Clients with one."
other_client_count = "Clients with one below."
ceiling_share = "The highest possible, of all."

[derived]
ceiling_share = "round(ceiling_count / nullif(rated_count, 0), 2)"

[disclosure]
clients = "client_count"
keys = ["instrument", "rater", "site", "program"]
counts = ["rated_count"]
parts = { ceiling_count = { of = "rated_count", clients = "ceiling_client_count", other_clients = "other_client_count" } }
behind = ["client_count", "ceiling_client_count", "other_client_count"]
*/
WITH of_episode AS (
    SELECT instrument, rater, episode_id, count(*) AS rated, count(*) FILTER (pomp = 100) AS highest,
        count(*) FILTER (pomp < 100) AS below
    FROM alliance
    ANTI JOIN other_raters USING (episode_id, rater, rater_number)
    WHERE scale = 'total' AND session_date < (SELECT closed_to FROM load.closed)
    GROUP BY instrument, rater, episode_id
),
of_client AS (
    SELECT e.instrument, e.rater, p.site, p.program, sum(e.rated) AS rated, sum(e.highest) AS highest,
        sum(e.below) AS below
    FROM of_episode AS e
    JOIN placed_episodes AS p USING (episode_id)
    GROUP BY e.instrument, e.rater, p.client_id, GROUPING SETS ((), (p.site), (p.program))
)
SELECT
    instrument,
    rater,
    coalesce(site, 'All') AS site,
    coalesce(program, 'All') AS program,
    sum(rated)::INTEGER AS rated_count,
    count(*)::INTEGER AS client_count,
    sum(highest)::INTEGER AS ceiling_count,
    count(*) FILTER (highest > 0)::INTEGER AS ceiling_client_count,
    count(*) FILTER (below > 0)::INTEGER AS other_client_count
FROM of_client
GROUP BY instrument, rater, site, program
ORDER BY ALL
