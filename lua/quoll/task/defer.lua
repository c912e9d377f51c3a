--- quoll.defer: what a task runs at its end, by whatever path it ends.
-- @module quoll.task.defer

local core = require "quoll.core"
local shield = require("quoll.task.scope").shield

local traceback, next_call, failed =
  core.traceback, core.defer_next, core.defer_failed

local function run(fn, ...)
  if fn == nil then
    return false
  end
  local ok, err = xpcall(shield, traceback, nil, fn, ...)
  if not ok then
    failed(err)
  end
  return true
end

-- The running task's deferred calls and handles since it owns `last`, a handle.
local function unwind(last)
  while run(next_call(last)) do end
end

core.defer_unwind(function()
  unwind()
end)

local defer = { unwind = unwind }

--- Has fn(...) called when the running task ends: when it returns, fails, is
-- cancelled or ended by force, after its children have ended. The newest comes
-- first, in one order with the handles that the task owns: one that was opened
-- before is still open. fn may wait, and is not cancelled; an error is logged
-- and the next one is called. What the task returned or raised stays.
--
-- A task that was cancelled before it started has none. Those of tasks that are
-- alive when the script ends are not called. Raises in the main chunk.
-- @func fn
-- @tparam[opt] any ... its arguments
-- @function defer
defer.defer = core.defer

return defer
