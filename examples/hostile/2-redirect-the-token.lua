-- Tries:    A plugin sends a request, and hopefully the token with it, to a host of its own.
-- Stopped:  A function may send only what it declared, to where the operator says the account is.
-- Writes:   0 sent
-- Outcome:  denied

app.integrations.thief.smuggle({})
