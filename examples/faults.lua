-- What can go wrong, and what a script sees of it. Nothing here changes anything.
--
-- Run it:  kosmo integrations:lua examples/faults.lua

local dialpad = app.integrations.dialpad
local ringcentral = app.integrations.ringcentral

-- An error prints as a sentence; `code` says what to do, the other fields say more.
local function try(what, work)
  local ok, err = pcall(work)
  print("== " .. what)
  if ok then
    print("   went well")
    return
  end
  print("   " .. err)
  for _, field in ipairs({ "code", "provider", "fn", "parameter", "status", "provider_code", "retry_after" }) do
    if err[field] ~= nil then
      print("   " .. field .. " = " .. tostring(err[field]))
    end
  end
end

try("a misspelt function", function()
  return ringcentral.list_mesages({})
end)

try("a misspelt parameter: nothing is sent", function()
  return ringcentral.list_messages({ perPaeg = 5 })
end)

try("a value that is no choice: nothing is sent", function()
  return ringcentral.list_messages({ messageType = "Telegram" })
end)

try("something the provider does not have", function()
  return dialpad.get_call({ id = "no_such_call" })
end)

try("an account that is not configured", function()
  return dialpad.nowhere.list_calls({})
end)

-- Refused unless the operator allows writes. The message id is one that does not exist, so with --force it is
-- RingCentral that refuses.
try("a write", function()
  return ringcentral.delete_message({ message_id = "999999999999" })
end)

-- Errors travel: rethrown they stay what they are, and string functions work on them.
local ok, err = pcall(function()
  local fine, inner = pcall(dialpad.get_call, { id = "no_such_call" })
  assert(fine, inner)
end)
assert(not ok and err.code == "not_found")
print("== rethrown: still " .. err.code .. ", status " .. (err:match("%d+") or "?"))
