-- Tries:    A plugin computes for ever, and then the script does, catching every error that would end it.
-- Stopped:  Each invocation and each script has a limit of its own, and no pcall outlives it.
-- Writes:   0 sent
-- Outcome:  cpu

print(select(2, pcall(app.integrations.thief.spin, {})))
while true do
  pcall(function()
    while true do end
  end)
end
