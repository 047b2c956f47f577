-- A morning briefing: who called on Dialpad, by the names in RingCentral's address book, and what is unread.
--
-- Run it:  kosmo integrations:lua examples/demo.lua
--          (`cargo xtask demo` runs it against a simulator; `cargo xtask play` opens a shell where you can)

local dialpad = app.integrations.dialpad
local ringcentral = app.integrations.ringcentral

-- Prints rows as columns that line up.
local function show(title, header, rows)
  local widths = {}
  table.insert(rows, 1, header)
  for _, row in ipairs(rows) do
    for column, text in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, utf8.len(text))
    end
  end
  print(title)
  for _, row in ipairs(rows) do
    local cells = {}
    for column, text in ipairs(row) do
      cells[column] = text .. string.rep(" ", widths[column] - utf8.len(text))
    end
    print("  " .. (table.concat(cells, "  "):gsub("%s+$", "")))
  end
  print()
end

-- A text on one line, cut where it gets long.
local function short(text, longest)
  local line = text:gsub("%s+", " ")
  local cut = utf8.offset(line, longest + 1)
  return if cut and cut <= #line then line:sub(1, cut - 1) .. "…" else line
end

local function length(seconds)
  return if seconds == 0 then "missed" else string.format("%d:%02d", seconds // 60, seconds % 60)
end

-- Five requests at once; the results come in the order of the functions.
local week_ago = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - 7 * 86400)
local me, extension, calls, unread, contacts = parallel(
  function() return dialpad.get_current_user({}) end,
  function() return ringcentral.get_current_user({}) end,
  function() return dialpad.list_calls({ limit = 10 }) end,
  function() return ringcentral.list_messages({ messageType = "SMS", readStatus = "Unread", dateFrom = week_ago, perPage = 5 }) end,
  function() return ringcentral.list_contacts({ perPage = 1000 }) end
)

print("Dialpad as " .. me.first_name .. " " .. me.last_name .. ", RingCentral as " .. (extension.name or "?"))
print()

-- RingCentral's contacts by phone number, to put names to Dialpad's callers.
local known = {}
for _, contact in ipairs(contacts.records) do
  local name = (contact.firstName or "") .. " " .. (contact.lastName or "")
  local at = if contact.company and contact.company ~= name then ", " .. contact.company else ""
  known[contact.mobilePhone or ""] = name .. at
end

local rows = {}
for _, call in ipairs(calls.items) do
  local number = call.external_number or "unknown"
  rows[#rows + 1] = {
    os.date("!%d %b %H:%M", tonumber(call.date_started) // 1000),
    call.direction,
    number,
    length(call.duration),
    known[number] or "not in the address book",
  }
end
show("Latest calls (Dialpad), named by RingCentral's address book", { "WHEN", "DIRECTION", "NUMBER", "LENGTH", "WHO" }, rows)

rows = {}
for _, message in ipairs(unread.records) do
  local when = message.creationTime:sub(1, 16):gsub("T", " ")
  local from = message.from or {}
  rows[#rows + 1] = { when, from.phoneNumber or "unknown", short(message.subject or "", 48) }
end
show("Unread texts of the last 7 days (RingCentral)", { "WHEN", "FROM", "TEXT" }, rows)

-- A write: it happens only if the operator allows writes, or with --force.
local sent, answer = pcall(function()
  return ringcentral.send_sms({ from = "+16505551234", to = "+16505559876", text = "All caught up." })
end)
if sent then
  print("Text sent, message " .. answer.id .. ", " .. answer.messageStatus .. ".")
else
  print("Text not sent (" .. answer.code .. "): " .. answer)
end
