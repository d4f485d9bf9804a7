/*
title = "Early alliance and outcome"
question = "Does the early alliance go with the outcome at the end?"
answer = """
'Here the correlation is ' || round(min(estimate), 2) || ' to ' || round(max(estimate), 2) || '; published are .28 in adults and .19 in youth.'"""
group = "Outcome"
order = 540
audience = "shared"
alt = "A point per questionnaire and measure: the correlation and its 95 % interval."
note = "Correlation of the early alliance (session 3, or the nearest of 2 to 4) with the intake-adjusted outcome, each client once. Published: .28 in adults (Flückiger et al. 2018, 295 studies), .19 in youth (Karver et al. 2018, 28 studies). As of the night that made it."

[chart]
kind = "bars"
y_title = "Correlation, with its 95 % interval"
x = "estimate"
y = "pair"
low = "low"
high = "high"

[columns]
pair = "The alliance questionnaire with its rater, and the outcome measure."
client_count = "Clients with both."
estimate = "The correlation."
low = "Lower end of the 95 % interval."
high = "Upper end of the 95 % interval."

[disclosure]
clients = "client_count"
keys = ["pair"]
counts = ["client_count"]

[disclosure.estimates]
estimate = { of = "client_count", step = 0.01 }
low = { of = "client_count", step = 0.01, end = "low" }
high = { of = "client_count", step = 0.01, end = "high" }
*/
SELECT upper(replace(instrument, '_', '-')) || ' (' || rater || ') and ' || upper(replace(outcome_instrument, '_', '-')) AS pair, client_count, estimate, low, high
FROM alliance_outcome_links
WHERE link = 'between'
ORDER BY ALL
