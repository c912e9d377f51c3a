--- Several functions at once, each in a task of its own: the first that ends,
-- the first that succeeds, or all of them. Whoever is not needed any more is
-- cancelled, and has ended when the call returns.
-- @module quoll.task.race

local callable = require "quoll.callable"
local core = require "quoll.core"
local finish = require("quoll.wait").finish
local scope = require("quoll.task.scope").scope

local decide = core.scope_decide

local races = {}

local function check(fns, method)
  if type(fns) ~= "table" then
    core.bad_argument(fns, "fns", method, "an array of functions")
  end
  for i = 1, #fns do
    if not callable(fns[i]) then
      core.bad_argument(fns[i], "fns", method, "a function at " .. i)
    end
  end
end

-- The results of the first function whose results win, else of the last.
local function first(fns, wins)
  local outcome, won = { n = 0 }, false

  -- A loser passes nothing on: handles among its results are closed.
  local function ended(s, ...)
    if won then
      return
    end
    outcome = { n = select("#", ...), ... }
    if wins(...) then
      won = true
      decide(s)
    end
    return ...
  end

  local cut, err, code = scope(function(s)
    for i = 1, #fns do
      s:spawn(function()
        return ended(s, fns[i]())
      end)
    end
  end)
  if code and not won then
    return cut, err, code
  end
  return unpack(outcome, 1, outcome.n)
end

--- Calls the functions at once and returns when the first has ended.
-- @tparam {func,...} fns one at least
-- @treturn any ... its results; its error is raised unchanged
function races.race(fns)
  check(fns, "race")
  if #fns == 0 then
    core.raise "bad argument 'fns' to 'race' (one function at least expected)"
  end
  return first(fns, function() return true end)
end

--- Calls the functions at once and returns when the first has succeeded: its
-- first result is neither nil nor false. An error is raised, unchanged.
-- @tparam {func,...} fns
-- @treturn any ... its results; without one, those of the function that ended
-- last
function races.any(fns)
  check(fns, "any")
  return first(fns, function(result) return result end)
end

local function start(s, fns, limit)
  local tasks = {}
  for i = 1, #fns do
    if limit then
      finish(core.task_room(limit))
    end
    tasks[i] = s:spawn(fns[i])
  end
  return tasks
end

--- Calls all functions and returns when they have ended. An error is raised,
-- unchanged.
-- @tparam {func,...} fns
-- @number[opt] limit so many at a time
-- @treturn table their first results, in the order of the functions
function races.all(fns, limit)
  check(fns, "all")
  if limit ~= nil
    and not (type(limit) == "number" and limit >= 1 and limit % 1 == 0) then
    core.bad_argument(limit, "limit", "all", "a whole number from 1 up")
  end
  return scope(function(s)
    local results = {}
    for i, task in ipairs(start(s, fns, limit)) do
      results[i] = (finish(core.task_wait(task)))
    end
    return results
  end)
end

return races
