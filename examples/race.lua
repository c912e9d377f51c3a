--- Asks several servers at once and takes the first answer: who is slow, silent
-- or dead costs nothing but its connection.
--
--   luajit examples/race.lua LINE SECONDS ADDRESS...
--
-- For example against two of examples/echo.lua:
--
--   luajit examples/race.lua hello 2 127.0.0.1:7000 127.0.0.1:7001

local quoll = require "quoll"

-- The answer of one server; nil when it has none. Its connection is closed when
-- the task in which this runs ends, also when it has lost the race.
local function ask(address, line)
  local conn, err = quoll.connect(address)
  if conn then
    local answer
    conn:send(line .. "\n")
    answer, err = conn:receive "*l"
    if answer then
      return answer, address
    end
  end
  io.stderr:write("race: ", address, ": ", err, "\n")
end

-- One for each address. The next one starts a little later, so that a good
-- first server is asked alone.
local function questions(addresses, line)
  local list = {}
  for i, address in ipairs(addresses) do
    list[i] = function()
      quoll.sleep((i - 1) * 0.02)
      return ask(address, line)
    end
  end
  return list
end

local function main(line, seconds, ...)
  local answer, from, code = quoll.deadline(tonumber(seconds), quoll.any,
    questions({ ... }, line))
  if answer then
    print(("%s  (%s)"):format(answer, from))
  else
    io.stderr:write("race: ", code == "DEADLINE" and "too late" or "no answer",
      "\n")
    os.exit(1, true)
  end
end

if not tonumber(arg[2]) or not arg[3] then
  io.stderr:write "usage: luajit examples/race.lua LINE SECONDS ADDRESS...\n"
  os.exit(2)
end

main(unpack(arg))
