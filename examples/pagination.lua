-- All items over all pages. `paginate` knows how each function pages: by cursor at Dialpad, by number at RingCentral.
--
-- Run it:  kosmo integrations:lua examples/pagination.lua

local dialpad = app.integrations.dialpad
local ringcentral = app.integrations.ringcentral

-- `limit` is the size of a page here, not of the whole.
local states = {}
local users = 0
for user in paginate(dialpad.list_users, { limit = 50 }) do
  users += 1
  states[user.state or "unknown"] = (states[user.state or "unknown"] or 0) + 1
end
print("Dialpad users: " .. users)
print(states)

local companies = {}
for contact in paginate(ringcentral.list_contacts, { perPage = 20 }) do
  companies[contact.company or "none"] = true
end
local count = 0
for _ in pairs(companies) do
  count += 1
end
print("Companies in RingCentral's address book: " .. count)

-- Leaving the loop asks for no further page.
for call in paginate(dialpad.list_calls, { limit = 10 }) do
  if call.duration == 0 then
    print("Latest missed call: " .. (call.from_number or "unknown") .. " to " .. (call.to_number or "unknown"))
    break
  end
end

-- The same by hand: a cursor in the result asks for the next page, and its absence is the end.
local pages, cursor = 0, nil
repeat
  local page = dialpad.list_users({ limit = 100, cursor = cursor })
  pages += 1
  cursor = page.cursor
until not cursor
print("Pages of 100 users: " .. pages)
