-- Tries:    A plugin takes all the memory there is, and then the script does.
-- Stopped:  Each sandbox and each script has a limit of its own; the host gives neither more.
-- Writes:   0 sent
-- Outcome:  memory

print(select(2, pcall(app.integrations.thief.hoard, {})))
local hoard = {}
while true do
  hoard[#hoard + 1] = string.rep("x", 1000000) .. #hoard
end
