/*
title = "Therapist effects"
question = "How large are the differences between therapists, once chance is taken out?"
answer = """
count(*) FILTER (low > 0 OR high < 0) || ' of ' || count(shrunken_effect)
    || ' effects that can be shown differ from the clinic''s mean.'"""
group = "Therapists"
order = 620
audience = "shared"
alt = "A bar per therapist with its interval: the shrunken difference from the clinic, in order of size."
note = "Bars have no names; the rank is by the effect itself. Empirical-Bayes estimates: each mean is drawn towards the clinic's by how little it is known (M23). Published therapist effects are 5 to 8 % of the variance. Only therapists with enough clients. Where nothing lies between therapists beyond chance, no effect is shown. As of the night that made it."

[chart]
kind = "bars"
y_title = "Shrunken effect, with its 95 % interval"
x = "shrunken_effect"
y = "rank"
low = "low"
high = "high"
panel = "about"

[columns]
about = "What is compared, with its questionnaire and rater."
client_count = "The therapist's clients."
shrunken_effect = "Difference from the clinic's mean, in points."
low = "Lower end of the 95 % interval."
high = "Upper end of the 95 % interval."
rank = "By the size of the effect."

[derived]
rank = "row_number() OVER (PARTITION BY about ORDER BY shrunken_effect DESC)"

[disclosure]
clients = "client_count"
keys = ["about"]
therapists = true
counts = ["client_count"]

[disclosure.estimates]
shrunken_effect = { of = "client_count", step = 0.1 }
low = { of = "client_count", step = 0.1, end = "low" }
high = { of = "client_count", step = 0.1, end = "high" }
*/
SELECT replace(measure, '_', ' ') || ', ' || instrument || ' (' || rater || ')' AS about, client_count, shrunken_effect,
    low, high
FROM therapist_effects
WHERE scale = 'total'
ORDER BY ALL
