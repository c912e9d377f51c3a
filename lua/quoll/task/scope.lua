--- Scopes: what is started together ends together.
-- A scope ends when its function and every task started in it have ended. The
-- first of them that fails cancels the others, and its error is raised,
-- unchanged, when they have ended; further failures are logged. A scope runs
-- in the task that opens it, and tasks spawned inside belong to it.
-- @module quoll.task.scope

local core = require "quoll.core"

local enter, leave = core.scope_enter, core.scope_leave
local mark, take = core.mark, core.take
local kept = core.kept

local scopes = {}

local Scope = core.scope

--- Starts fn(...) as a task of the scope. Any task may do so while the scope
-- is open; then it raises "the scope has ended".
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn Task
-- @function Scope:spawn
Scope.spawn = core.scope_spawn

--- Like spawn, for a task that serves the others: it is cancelled when the
-- scope's function and all other tasks have ended.
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn Task
-- @function Scope:background
Scope.background = core.scope_background

--- Cancels the scope: its function and its tasks, where each waits.
-- @tparam[opt] any why what quoll.iscancelled tells of it
-- @treturn boolean false when it had ended
-- @function Scope:cancel
Scope.cancel = core.scope_cancel

local function inside(s, fn, ...)
  enter(s)
  return fn(...)
end

-- As quoll.wait's finish; no results stay none.
local function finish(...)
  if ... == mark then
    return take(select(2, ...))
  end
  return ...
end

local function close(s, ...)
  return finish(leave(s, ...))
end

--- Calls fn(s, ...) with a new scope s and waits for the tasks started in it.
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn[1] any ... fn's results; the first error of fn or of a task is
-- raised
-- @treturn[2] nil when s:cancel() has cut it
-- @treturn[2] string "cancelled"
-- @treturn[2] string "CANCELLED"
function scopes.scope(fn, ...)
  local s = core.scope_new(fn)
  return close(s, xpcall(inside, kept, s, fn, s, ...))
end

--- Calls fn(...) in a scope that is cancelled after s seconds. A deadline
-- inside another one ends with the earlier of the two.
-- @tparam ?number s seconds; 0: what need not wait is done; nil, math.huge: no
-- limit
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn[1] any ... fn's results; the first error of fn or of a task is
-- raised
-- @treturn[2] nil when it cut anything inside
-- @treturn[2] string "timeout"
-- @treturn[2] string "DEADLINE"
function scopes.deadline(s, fn, ...)
  local scope = core.deadline_new(s, fn)
  return close(scope, xpcall(inside, kept, scope, fn, ...))
end

--- Calls fn(...) in a scope that cancellations from outside do not reach: for
-- what has to be brought to an end. After s seconds they do.
-- @tparam ?number s seconds; nil, math.huge: no limit
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn any ... fn's results; the first error of fn or of a task is raised
function scopes.shield(s, fn, ...)
  local scope = core.shield_new(s, fn)
  return close(scope, xpcall(inside, kept, scope, fn, ...))
end

return scopes
