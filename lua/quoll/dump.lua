--- What SIGQUIT writes: every task with what it waits for and its stack, and
-- the main figures of quoll.stats(). Tasks with the same stack share it.
-- @module quoll.dump

local core = require "quoll.core"

local dump = {}

local TASKS, STACKS, MEMBERS = 10000, 100, 10 -- looked at; shown; shown of each

-- 1234567 -> "1,234,567"
local function count(n)
  local text = ("%d"):format(n)
  local head = (#text - 1) % 3 + 1
  return text:sub(1, head) .. text:sub(head + 1):gsub("%d%d%d", ",%0")
end

local function plural(n, word)
  return count(n) .. " " .. word .. (n == 1 and "" or "s")
end

local function duration(s)
  if s < 1e-6 then
    return "0 ms"
  elseif s < 1 then
    return ("%.3g ms"):format(s * 1000)
  elseif s < 600 then
    return ("%.1f s"):format(s)
  end
  return ("%d min"):format(s / 60)
end

-- "of task 3, 14.1 s old, ran 12 ms"
local function history(task)
  local text = ("%s old, ran %s"):format(duration(task.age), duration(task.cpu))
  if task.parent == 0 then
    return "of the main chunk, " .. text
  elseif task.parent then
    return ("of task %d, %s"):format(task.parent, text)
  end
  return text
end

-- "task 12 'reader' [receive from 127.0.0.1:4711 (fd 9), for 3.2 s] of task 3,
-- 14.1 s old, ran 12 ms"
local function title(task)
  local name = task.name and (" '%s'"):format(task.name) or ""
  local who = task.id == 0 and "main chunk"
    or ("task %d%s"):format(task.id, name)
  local what, left = task.waits or task.state, ""
  if task.left then
    what, left = what:match "^(.*)(, [%d.]+ s left)$"
  end
  if task.state == "closing" then
    what = "ended but for " .. what
  elseif task.since then
    what = what .. ", for " .. duration(task.since)
  end
  what = what .. left
  return ("%s [%s] %s"):format(who, what, history(task))
end

-- Tasks by their stacks, in the order in which these come up.
local function by_stack(tasks)
  local groups, of = {}, {}
  for _, task in ipairs(tasks) do
    local group = of[task.traceback]
    if not group then
      group = { stack = task.traceback }
      of[task.traceback] = group
      groups[#groups + 1] = group
    end
    group[#group + 1] = task
  end
  return groups
end

local function add_stack(out, text)
  out[#out + 1] = text:gsub("stack traceback:\n", "")
  out[#out + 1] = ""
end

local function add_group(out, group)
  if #group > 1 then
    out[#out + 1] = plural(#group, "task") .. " with this stack:"
  end
  for i = 1, math.min(#group, MEMBERS) do
    out[#out + 1] = title(group[i]) .. (i == #group and ":" or "")
  end
  if #group > MEMBERS then
    out[#out + 1] = ("... and %s more:"):format(count(#group - MEMBERS))
  end
  add_stack(out, group.stack)
end

local function add_tasks(out)
  local tasks, live = core.tasks(true, TASKS)
  out[#out + 1] = os.date "%Y/%m/%d %H:%M:%S quoll, asked by SIGQUIT: "
    .. plural(live, "task")
  out[#out + 1] = ""
  out[#out + 1] = title(tasks[0]) .. ":"
  add_stack(out, tasks[0].traceback)
  local shown = 0
  for i, group in ipairs(by_stack(tasks)) do
    if i > STACKS then
      break
    end
    add_group(out, group)
    shown = shown + #group
  end
  if shown < live then
    out[#out + 1] = "... and " .. plural(live - shown, "more task") .. "\n"
  end
end

local function longest(of)
  if not of then
    return "longest turn: none"
  end
  local text = ("longest turn: %s, %s ago"):format(duration(of.s),
    duration(of.ago))
  if of.task then
    text = ("%s; %s ran for %s until %s"):format(text, of.task,
      duration(of.ran), (of.where:gsub("^$", "its end")
        :gsub("^spawned", "its end; %0")))
  end
  return text
end

local function add_stats(out, stats)
  local loop, tasks, aio = stats.loop, stats.tasks, stats.aio
  local lines = {
    ("loop: %s, %.1f events a turn; %s timers, %s posted"):format(
      plural(loop.turns, "turn"), loop.events_per_turn, count(loop.timers),
      count(loop.posted)),
    longest(loop.longest),
    ("tasks: %s spawned, %s live, %s failed"):format(count(tasks.spawned),
      count(tasks.live), count(tasks.failed)),
    ("connections: %s opened, %s live; %s accepted"):format(
      count(stats.connections.opened), count(stats.connections.live),
      count(stats.connections.accepted)),
    ("files: %s open, %s under way; AIO %s in flight, %s queued; pool %s "
      .. "pending"):format(count(stats.files.live),
      plural(stats.files.reads, "read"), count(aio.in_flight),
      count(stats.files.queued), count(stats.pool.pending)),
    ("memory: %s KiB of Lua's"):format(count(collectgarbage "count")),
  }
  for _, line in ipairs(lines) do
    out[#out + 1] = line
  end
end

--- The text of a dump.
-- @tparam table stats quoll.stats()
-- @treturn string
function dump.text(stats)
  local out = {}
  add_tasks(out)
  add_stats(out, stats)
  return table.concat(out, "\n")
end

return dump
