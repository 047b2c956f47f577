-- Several requests at once. `parallel` takes functions, or a list of them, and gives their results in order.
--
-- Run it:  kosmo integrations:lua examples/parallel.lua

local dialpad = app.integrations.dialpad
local ringcentral = app.integrations.ringcentral

-- Functions give as many results.
local user, account, presence = parallel(
  function() return dialpad.get_current_user({}) end,
  function() return ringcentral.get_account({}) end,
  function() return ringcentral.get_presence({ detailedTelephonyState = true }) end
)
print("Dialpad user:        " .. user.first_name .. " " .. user.last_name)
print("RingCentral account: " .. account.mainNumber)
print("Presence:            " .. presence.presenceStatus)

-- A list gives a list. At most 16 run at a time; the others wait for their turn.
local tasks = {}
for index, call in ipairs(dialpad.list_calls({ limit = 5 }).items) do
  tasks[index] = function()
    return dialpad.get_call({ id = call.id })
  end
end
for _, call in ipairs(parallel(tasks)) do
  print("Call " .. call.id .. ": " .. call.direction .. ", " .. call.duration .. " s")
end

-- If one fails, the others still finish; then the first fault is raised. To keep the rest, catch it inside.
local function caught(work)
  return function()
    local ok, result = pcall(work)
    return if ok then result else { failed = tostring(result) }
  end
end
local found, lost = parallel(
  caught(function() return dialpad.get_call({ id = "call_abc123" }) end),
  caught(function() return dialpad.get_call({ id = "no_such_call" }) end)
)
print("Found: " .. found.id)
print("Lost:  " .. lost.failed)
