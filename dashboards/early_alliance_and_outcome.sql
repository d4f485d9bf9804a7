/*
title = "Early alliance and outcome"
question = "Does the early alliance go with the outcome at the end?"
answer = """
'Here the correlation is ' || round(min(estimate), 2) || ' to ' || round(max(estimate), 2) || '; published are .28 in adults and .19 in youth.'"""
group = "Outcome"
order = 540
audience = "shared"
alt = "A point per questionnaire and measure: the correlation and its 95 % interval."
note = "Correlation of the early alliance (session 3, or the nearest of 2 to 4) with the intake-adjusted outcome. Published: .28 in adults (Flückiger et al. 2018, 295 studies), .19 in youth (Karver et al. 2018, 28 studies). As of the night that made it."

[chart]
kind = "bars"
x = "estimate"
y = "pair"
low = "low"
high = "high"

[columns]
pair = "The alliance questionnaire with its rater, and the outcome measure."
linked_count = "Episodes with both."
estimate = "The correlation."
low = "Lower end of the 95 % interval."
high = "Upper end of the 95 % interval."

[disclosure]
clients = "linked_count"
keys = ["pair"]
counts = ["linked_count"]

[disclosure.estimates]
estimate = { of = "linked_count", step = 0.01 }
low = { of = "linked_count", step = 0.01 }
high = { of = "linked_count", step = 0.01 }
*/
SELECT instrument || ' (' || rater || ') and ' || outcome_instrument AS pair, linked_count, estimate, low, high
FROM alliance_outcome_links
WHERE link = 'between'
ORDER BY ALL
