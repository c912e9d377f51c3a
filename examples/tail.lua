--- Follows a file as it grows, like `tail -f`; reads never block the loop.
--
--   luajit examples/tail.lua FILE

local quoll = require "quoll"

local path = arg[1]
if not path then
  io.stderr:write("usage: luajit examples/tail.lua FILE\n")
  os.exit(2)
end

--- What is there behind position, to the output; the new position.
local function copy(file, position)
  if assert(file:size()) < position then
    io.stderr:write(path, ": file truncated\n")
    position = file:seek("set", 0)
  end
  while true do
    local chunk, err = file:read(65536)
    if err then
      error(err, 0)
    elseif not chunk then
      return position
    end
    position = position + #chunk
    io.stdout:write(chunk)
    io.stdout:flush()
  end
end

quoll.run(function()
  -- Watched before it is read: no change falls in between.
  local changes, err = quoll.fs.watch(path, { events = { "modify" } })
  local file = changes
  if changes then
    file, err = quoll.open(path)
  end
  if not file then
    io.stderr:write("tail: ", err, "\n")
    os.exit(1)
  end
  local position = copy(file, 0)
  for event in changes do
    position = copy(file, position)
    if event.type == "gone" then
      io.stderr:write(path, ": file gone\n")
    end
  end
end)
