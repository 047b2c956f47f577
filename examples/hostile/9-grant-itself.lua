-- Tries:    A script gives itself the permission it lacks, and sends a text.
-- Stopped:  Nothing a script can reach changes a grant or a permission; a write that must be approved waits for a person.
-- Writes:   0 sent
-- Outcome:  approval_required

pcall(function() app.permissions = { ringcentral = { write = "allow" } } end)
pcall(function() app.integrations.ringcentral.permissions = "allow" end)
app.integrations.ringcentral.send_sms({
  from = "+16505551234",
  to = "+16505559876",
  text = "Click here",
  force = nil,
})
