/*
title = "Early responsiveness"
question = "What goes with a therapist's early responsiveness here?"
answer = """
'Of ' || count(estimate) || ' links that can be shown, ' || count(estimate) FILTER (low > 0 OR high < 0)
    || ' differ from none.'"""
group = "Responsiveness"
order = 110
audience = "shared"
alt = "A point per measure of responsiveness and what it might go with: the estimate and its 95 % interval."
note = "Responsiveness in sessions 1 and 2. Observers' factors as in Elkin et al. 2014 where tapes were rated, else the client-side proxy. Staying and early termination: log-odds per point of a factor, or per 10 percent of the proxy; the relationship: a correlation. An association, not a cause. As of the night that made it."

[chart]
kind = "bars"
x = "estimate"
y = "predictor"
low = "low"
high = "high"
panel = "staying"

[columns]
predictor = "The measure of responsiveness."
staying = "What it might go with."
linked_count = "Episodes with both."
estimate = "Log-odds or correlation: see the note."
low = "Lower end of the 95 % interval."
high = "Upper end of the 95 % interval."

[disclosure]
clients = "linked_count"
keys = ["predictor", "staying"]
counts = ["linked_count"]

[disclosure.estimates]
estimate = { of = "linked_count", step = 0.01 }
low = { of = "linked_count", step = 0.01 }
high = { of = "linked_count", step = 0.01 }
*/
SELECT predictor, staying, linked_count, estimate, low, high
FROM responsiveness_links
WHERE linked_count > 0
ORDER BY ALL
