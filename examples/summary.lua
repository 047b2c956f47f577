-- The last seven days in numbers, for another program to read.
--
-- Run it:  kosmo integrations:lua examples/summary.lua --json
--          What it returns is `result`, what it prints is `output`.

local now = os.time()
local week = 7 * 86400

local calls = { inbound = 0, outbound = 0, unknown = 0, missed = 0, minutes = 0 }
local seconds, partners = 0, {}
for call in paginate(app.integrations.dialpad.list_calls, { startTime = now - week, endTime = now, limit = 50 }) do
  calls[call.direction] += 1
  seconds += call.duration
  if call.duration == 0 then
    calls.missed += 1
  end
  local number = call.external_number or "unknown"
  partners[number] = (partners[number] or 0) + 1
end
calls.minutes = math.round(seconds / 60)

local texts = { total = 0, unread = 0 }
local since = os.date("!%Y-%m-%dT%H:%M:%SZ", now - week)
for message in paginate(app.integrations.ringcentral.list_messages, { messageType = "SMS", dateFrom = since, perPage = 100 }) do
  texts.total += 1
  if message.readStatus == "Unread" then
    texts.unread += 1
  end
end

local distinct = 0
for _ in pairs(partners) do
  distinct += 1
end

print("Calls and texts since " .. since)
return { since = since, calls = calls, partners = distinct, texts = texts }
