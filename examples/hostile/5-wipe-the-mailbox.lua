-- Tries:    A script that may not delete messages deletes them through api_delete: all at once, then one by one.
-- Stopped:  A request that another function also covers needs that function's permission; deleting all is never one.
-- Writes:   0 sent
-- Outcome:  denied

local ringcentral = app.integrations.ringcentral
local mailbox = "/restapi/v1.0/account/~/extension/~/message-store"

print(select(2, pcall(ringcentral.api_delete, { path = mailbox })))
for _, message in ipairs(ringcentral.list_messages({ perPage = 3 }).records) do
  ringcentral.api_delete({ path = mailbox .. "/" .. message.id })
end
