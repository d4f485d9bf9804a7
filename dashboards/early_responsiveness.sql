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
note = "Responsiveness in sessions 1 and 2. Observers' factors as in Elkin et al. 2014 where tapes were rated, else the client-side proxy. Staying and early termination: log-odds per point of a factor, or per 10 percent of the proxy; the relationship: a correlation. Each client counts once. An association, not a cause. As of the night that made it."

[chart]
kind = "bars"
y_title = "Association, with its 95 % interval"
x = "estimate"
y = "predictor"
low = "low"
high = "high"
panel = "staying"

[columns]
predictor = "The measure of responsiveness."
staying = "What it might go with."
client_count = "Clients with both."
estimate = "Log-odds or correlation: see the note."
low = "Lower end of the 95 % interval."
high = "Upper end of the 95 % interval."

[disclosure]
clients = "client_count"
keys = ["predictor", "staying"]
counts = ["client_count"]

[disclosure.estimates]
estimate = { of = "client_count", step = 0.01 }
low = { of = "client_count", step = 0.01, end = "low" }
high = { of = "client_count", step = 0.01, end = "high" }
*/
SELECT predictor, staying, linked_count AS client_count, estimate, low, high
FROM responsiveness_links
WHERE linked_count > 0
ORDER BY ALL
