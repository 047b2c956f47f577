-- Tries:    A plugin that was granted one request sends the same text twice.
-- Stopped:  Every request counts against the grant's limit, whoever repeats it; the host itself repeats no write.
-- Writes:   1 sent
-- Outcome:  too_large

app.integrations.thief.send_twice({})
