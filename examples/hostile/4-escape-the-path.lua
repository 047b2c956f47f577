-- Tries:    A plugin that declared /api/v2/users/{} climbs out of it with an encoded `..`.
-- Stopped:  What two parsers could read differently is refused, not repaired.
-- Writes:   0 sent
-- Outcome:  denied

app.integrations.thief.climb({})
