--- What a test leaves behind: tasks, handles, timers and descriptors that were
-- not there before.
-- @module quoll.busted.leaks

local core = require "quoll.core"
local quoll = require "quoll"

local leaks = {}

-- In quoll.stats(): group, name, what one is called.
local gauges = {
  { "connections", "live", "connection" },
  { "files", "live", "file" },
  { "files", "reads", "read under way" },
  { "pool", "calls", "call under way" },
  { "loop", "timers", "timer" },
}

-- The loop and its pool keep descriptors of their own once they have them; the
-- folder is the one that is read here.
local function of_the_loop(text)
  return text:find "^anon_inode:" or text:find "^/proc/%d+/fd$"
end

local function descriptors()
  local found = {}
  for name in quoll.fs.readdir "/proc/self/fd" do
    local text = quoll.fs.readlink("/proc/self/fd/" .. name)
    if text and not of_the_loop(text) then
      found[tonumber(name)] = text
    end
  end
  return found
end

local function tasks()
  local found = {}
  for _, task in ipairs(quoll.tasks { traceback = false }) do
    found[task.id] = task
  end
  return found
end

local function counts()
  local stats = core.stats()
  local found = {}
  for i, gauge in ipairs(gauges) do
    found[i] = stats[gauge[1]][gauge[2]]
  end
  return found
end

--- What there is now; runs the collector, and closes connections that pools
-- keep: they are nobody's.
-- @treturn table for left
function leaks.measure()
  core.keepalive.drop()
  collectgarbage()
  collectgarbage() -- what the finalizers of the first one let go
  local open = descriptors()
  return { tasks = tasks(), counts = counts(), descriptors = open }
end

local function task_text(task)
  return ("task %d%s (%s%s%s)"):format(task.id,
    task.name and " '" .. task.name .. "'" or "", task.state,
    task.waits and ": " .. task.waits or "",
    task.where and " at " .. task.where or "")
end

local function excess(before)
  local now = leaks.measure()
  local list = {}
  for id, task in pairs(now.tasks) do
    if not before.tasks[id] then
      list[#list + 1] = task_text(task)
    end
  end
  for i, gauge in ipairs(gauges) do
    local n = now.counts[i] - before.counts[i]
    if n > 0 then
      list[#list + 1] = ("%d %s%s"):format(n, gauge[3], n > 1 and "s" or "")
    end
  end
  for fd, text in pairs(now.descriptors) do
    if before.descriptors[fd] ~= text then
      list[#list + 1] = ("descriptor %d: %s"):format(fd, text)
    end
  end
  return list[1] and table.concat(list, ", ")
end

--- What there is that was not there before. What ends by itself (a close that
-- is under way) has `patience` seconds.
-- @tparam table before what measure returned
-- @number patience seconds
-- @treturn ?string "1 connection, descriptor 9: socket:[4711]"; nil: nothing
function leaks.left(before, patience)
  local stop = quoll.now() + patience
  local left = excess(before)
  while left and quoll.now() < stop do
    quoll.sleep(0.002)
    left = excess(before)
  end
  return left
end

return leaks
