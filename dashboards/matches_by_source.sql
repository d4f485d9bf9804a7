/*
title = "Matches by source"
question = "Do the sources speak of the same people, and do responses find their session?"
answer = """
CASE WHEN count(finding) > 0 THEN 'Look at ' || string_agg(source, ', ' ORDER BY source) FILTER (finding IS NOT NULL) || '. '
    ELSE '' END
    || CASE WHEN count(matched_count) = 0 THEN 'Nothing could be counted: no appointments are known, or somebody was erased since the last night.'
    WHEN sum(decided_count) > 0 THEN sum(matched_count) || ' of ' || sum(decided_count) || ' responses meet a session.'
    ELSE 'No response came yet.' END"""
group = "Records"
order = 927
audience = "operations"
alt = "A bar per source: the share of its responses that meet a session."
note = "All current records, as the newest night counted them. A response that an appointment may still hold waits, and is not in the share. A response without a session is kept, and counts for no session. Where clients are not known to the appointments, the source may have other numbers: see id_space."

[chart]
kind = "bars"
x = "source"
y = "matched_share"
y_title = "Share with a session"

[columns]
source = "The section of clinic.toml."
client_count = "Clients with a record of it."
known_client_count = "Of these, clients with an appointment."
matched_count = "Responses with a session: by the appointment that they name, by their time, or by their day."
decided_count = "Its responses, without those that wait."
matched_share = "Responses with a session, of those that do not wait; null without responses."
waiting_count = "Responses that an appointment may still hold."
too_early_count = "Before the nearest session, outside its window."
too_late_count = "After the nearest session, outside its window."
no_session_count = "Without a date, of clients without a session, or naming an appointment without one."
client_unknown_count = "Of clients without an appointment."
finding = "Why it was told to operators; null where it was not."
*/
SELECT
    source,
    client_count,
    known_client_count,
    appointment_count + time_count + day_count AS matched_count,
    response_count - waiting_count AS decided_count,
    round(matched_count / nullif(decided_count, 0), 3) AS matched_share,
    waiting_count,
    too_early_count,
    too_late_count,
    no_session_count,
    client_unknown_count,
    replace(finding, '_', ' ') AS finding
FROM load.matches
WHERE load_id = (SELECT max(load_id) FROM load.matches)
ORDER BY source
