--- What the server does, once a second: Server-Sent Events.

local quoll = require "quoll"

local live = {}

local start = quoll.now()

local function resident() -- bytes
  local pages = quoll.fs.readfile("/proc/self/statm"):match "^%d+ (%d+)"
  return tonumber(pages) * 4096
end

local function snapshot()
  local stats = quoll.stats { reset = true }
  return quoll.http.json {
    uptime = quoll.now() - start,
    connections = stats.connections.live,
    accepted = stats.connections.accepted,
    tasks = stats.tasks.live,
    turns = stats.loop.turns,
    longest = stats.loop.turn_time,
    cached = stats.files.hits,
    resident = resident(),
  }
end

--- GET /events
function live.events()
  local first = true
  return quoll.http.events(function()
    if not first then
      quoll.sleep(1)
    end
    first = false
    local _, text = snapshot()
    return { event = "stats", data = text }
  end, { retry = 2 })
end

return live
