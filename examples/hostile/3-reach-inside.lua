-- Tries:    A plugin declares a host of its own whose name leads to this machine, as a rebound DNS name does.
-- Stopped:  The address is checked, and it is the address checked that is dialled: no declared name may lead inside.
-- Writes:   0 sent
-- Outcome:  denied

app.integrations.thief.rebind({})
