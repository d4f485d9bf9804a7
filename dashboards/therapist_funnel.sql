/*
title = "Therapists in a funnel"
question = "Does any therapist differ from the clinic by more than chance?"
answer = """
count(*) FILTER (share < low_998 OR share > high_998) || ' of ' || count(share)
    || ' points that can be shown lie outside the 99.8 % limits.'"""
group = "Therapists"
order = 610
audience = "shared"
alt = "A point per therapist: the share of their clients against how many they have, within limits of chance around the clinic."
note = "Points have no names and no order. Limits are approximate (Spiegelhalter 2005), 95 and 99.8 %, and are not for ranking: most of the difference between therapists is chance, and none of it is adjusted for whom they see. Only therapists with enough clients; each client counts once. Where the clinic's share is 0 or 1, chance has no limits. As of the night that made it."

[chart]
kind = "funnel"
y_title = "Share of the clients"
x_title = "Clients"
x = "denominator_count"
y = "share"
target = "target_share"
low_95 = "low_95"
high_95 = "high_95"
low_998 = "low_998"
high_998 = "high_998"
panel = "measure"
unit = "percent"

[columns]
measure = "What the share is of."
denominator_count = "The therapist's clients."
numerator_count = "Of whom it is so."
target_share = "The clinic's share."
share = "The therapist's share."
low_95 = "Lower 95 % limit of chance."
high_95 = "Upper 95 % limit of chance."
low_998 = "Lower 99.8 % limit of chance."
high_998 = "Upper 99.8 % limit of chance."

[derived]
share = "round(numerator_count / nullif(denominator_count, 0), 2)"
low_95 = "CASE WHEN target_share > 0 AND target_share < 1 THEN greatest(0, round(target_share - 1.959964 * sqrt(target_share * (1 - target_share) / denominator_count), 3)) END"
high_95 = "CASE WHEN target_share > 0 AND target_share < 1 THEN least(1, round(target_share + 1.959964 * sqrt(target_share * (1 - target_share) / denominator_count), 3)) END"
low_998 = "CASE WHEN target_share > 0 AND target_share < 1 THEN greatest(0, round(target_share - 3.09 * sqrt(target_share * (1 - target_share) / denominator_count), 3)) END"
high_998 = "CASE WHEN target_share > 0 AND target_share < 1 THEN least(1, round(target_share + 3.09 * sqrt(target_share * (1 - target_share) / denominator_count), 3)) END"

[disclosure]
clients = "denominator_count"
keys = ["measure"]
therapists = true
counts = ["denominator_count"]
parts = { numerator_count = { of = "denominator_count" } }
estimates = { target_share = { of = "denominator_count", step = 0.01 } }
*/
SELECT measure, denominator_count, numerator_count, target_share
FROM funnel_points
ORDER BY ALL
