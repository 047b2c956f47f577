-- Every kind of tool, resource and prompt that @modelcontextprotocol/server-everything has, over each transport.

local function find(list, key, value)
  for _, item in list do
    if item[key] == value then return item end
  end
  error("nothing has " .. key .. " = " .. tostring(value), 2)
end

local function check(server)
  local tools = app.mcp[server]
  local done = {}

  local function ran(name)
    done[#done + 1] = name
  end

  -- Text, JSON text, structured content.
  assert(tools.echo({ message = "hello" }) == "Echo: hello")
  ran("text")
  assert(type(tools.get_structured_content({ location = "New York" }).temperature) == "number")
  ran("structured content")
  assert(mcp.call(server .. ".get-sum", { a = 2, b = 3 }):find("5"))
  ran("numbers")
  assert(type(tools.get_env({})) == "table" and tools.get_env({}).KOSMO_MCP_SEEN == nil)
  ran("JSON text")

  -- Images, embedded resources, links, annotations.
  local image = find(tools.get_tiny_image({}), "type", "image")
  assert(image.mimeType == "image/png" and image.bytes > 1000)
  ran("image")
  local noted = tools.get_annotated_message({ messageType = "error", includeImage = true })
  assert(noted[1].annotations.priority == 1)
  ran("annotations")
  assert(#tools.get_resource_links({ count = 3 }) == 4)
  ran("resource links")
  local embedded = find(tools.get_resource_reference({ resourceType = "Blob", resourceId = 1 }), "type", "resource")
  assert(embedded.resource.bytes > 0)
  ran("embedded resource")
  local zipped = tools.gzip_file_as_resource({ name = "x.gz", data = "data:text/plain;base64,aGVsbG8=", outputType = "resource" })
  assert(find(zipped, "type", "resource").resource.mimeType == "application/gzip")
  ran("write")

  -- What it asks of us, and tells us.
  assert(tools.get_roots_list({}):find("file://"))
  ran("roots")
  assert(tools.trigger_long_running_operation({ duration = 2, steps = 4 }):find("completed"))
  ran("progress")
  assert(tools.simulate_research_query({ topic = "Lua" }):find("Research Report: Lua"))
  ran("task")
  assert(tools.toggle_simulated_logging({}) and tools.toggle_subscriber_updates({}))
  ran("notifications")

  -- Refusals: ours before anything is sent, and the server's own.
  local ok, fault = pcall(tools.get_sum, { a = 1 })
  assert(not ok and fault.code == "invalid_argument" and fault.server == server)
  ok, fault = pcall(tools.gzip_file_as_resource, { name = "x", data = "ftp://nowhere", outputType = "resource" })
  assert(not ok and fault.code == "provider", fault)
  ran("errors")

  -- Resources and prompts.
  local resources = mcp.resources(server)
  assert(#resources >= 7 and mcp.read_resource(server, resources[1].uri)[1].text)
  assert(#mcp.resource_templates(server) == 2)
  assert(mcp.read_resource(server, "demo://resource/dynamic/blob/1")[1].bytes > 0)
  ran("resources")
  assert(#mcp.prompts(server) == 4)
  assert(mcp.get_prompt(server, "args-prompt", { city = "Rome" }).messages[1].content.text:find("Rome"))
  local prompt = mcp.get_prompt(server, "resource-prompt", { resourceType = "Text", resourceId = 3 })
  assert(prompt.messages[2].content.resource.text)
  ran("prompts")

  -- Side by side.
  local sums = parallel({
    function() return tools.get_sum({ a = 1, b = 1 }) end,
    function() return tools.get_sum({ a = 2, b = 2 }) end,
  })
  assert(sums[1]:find("2") and sums[2]:find("4"))
  ran("side by side")

  -- Every tool has a row, however many pages it takes to list them.
  for _, row in mcp.tools(server) do
    assert(row.schema.type == "object" and mcp.schema(row["function"]).name == row.name)
  end
  ran(#mcp.tools(server) .. " schemas")
  return done
end

for _, server in { "stdio", "http" } do
  print(server .. ": " .. table.concat(check(server), ", "))
end
