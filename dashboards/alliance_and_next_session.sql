/*
title = "Alliance and the next session"
question = "Does the alliance go with how the client is at the next session?"
answer = """
'Of ' || count(estimate) || ' links that can be shown, ' || count(estimate) FILTER (low > 0 OR high < 0)
    || ' differ from none.'"""
group = "Outcome"
order = 530
audience = "shared"
alt = "A point per questionnaire, measure and direction: the estimate and its 95 % interval."
note = "Within persons: percent-of-maximum points of the one at the next session per point of the other now, with session number taken out (lagged, detrended), outcomes turned so that higher is better. Both directions stand beside each other. Of clients with two such pairs of sessions or more in an episode. An association in time, not a proof of cause. As of the night that made it."

[chart]
kind = "bars"
y_title = "Points per point, with the 95 % interval"
x = "estimate"
y = "pair"
low = "low"
high = "high"
panel = "link"

[columns]
pair = "The alliance questionnaire with its rater, and the outcome measure."
link = "From this session's alliance to the next session's outcome, or the reverse."
client_count = "Clients that the estimate is from."
estimate = "Points per point."
low = "Lower end of the 95 % interval."
high = "Upper end of the 95 % interval."

[disclosure]
clients = "client_count"
keys = ["pair", "link"]
counts = ["client_count"]

[disclosure.estimates]
estimate = { of = "client_count", step = 0.01 }
low = { of = "client_count", step = 0.01, end = "low" }
high = { of = "client_count", step = 0.01, end = "high" }
*/
SELECT upper(replace(instrument, '_', '-')) || ' (' || rater || ') and ' || upper(replace(outcome_instrument, '_', '-')) AS pair, replace(link, '_', ' ') AS link, client_count, estimate, low, high
FROM alliance_outcome_links
WHERE link <> 'between' AND model = 'lagged_detrended'
ORDER BY ALL
