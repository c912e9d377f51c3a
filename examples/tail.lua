--- Follows a file as it grows, like `tail -f`; reads never block the loop.
--
--   luajit examples/tail.lua FILE

local quoll = require "quoll"

local path = arg[1]
if not path then
  io.stderr:write("usage: luajit examples/tail.lua FILE\n")
  os.exit(2)
end

local poll = 0.1 -- seconds between two looks at a file that has not grown

--- The rest of the file, then what is appended, as it comes.
local function follow(file)
  local position = file:seek("set", 0)
  while true do
    local size = assert(file:size())
    if size < position then
      io.stderr:write(path, ": file truncated\n")
      position = file:seek("set", 0)
    end
    local chunk, err = file:read(65536)
    if chunk then
      position = position + #chunk
      io.stdout:write(chunk)
      io.stdout:flush()
    elseif err then
      error(err, 0)
    else
      quoll.sleep(poll)
    end
  end
end

quoll.run(function()
  local file, err = quoll.open(path)
  if not file then
    io.stderr:write("tail: ", err, "\n")
    os.exit(1)
  end
  follow(file)
end)
