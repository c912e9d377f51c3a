--- Coroutines that may wait inside tasks: a drop-in for `coroutine`.
-- What waits in such a coroutine suspends the task that resumed it, and goes
-- on there: generators that read a socket, iterators that sleep. Between the
-- task and the wait every coroutine must have been resumed by this library; by
-- whom it was made does not matter. LuaJIT has no coroutine.close, and so has
-- this.
-- @module quoll.coroutine

local core = require "quoll.core"

local mark, drop = core.mark, core.drop
-- Coroutine -> the one that resumed it (true: the main chunk), while it runs
-- or waits: quoll.core finds there the way from a wait to its task.
local resumers = core.resumers

local create, yield = coroutine.create, coroutine.yield
local resume, status = coroutine.resume, coroutine.status
local running = coroutine.running

local function check(value, expected, method)
  if type(value) ~= expected then
    core.raise(("bad argument #1 to '%s' (%s expected, got %s)"):format(method,
      expected == "thread" and "coroutine" or expected,
      value == nil and "no value" or type(value)))
  end
end

local lib = {}

--- Makes a coroutine.
-- @func fn
-- @treturn thread
-- @function create
lib.create = create

--- Suspends the running coroutine; its resume returns the arguments.
-- @tparam[opt] any ...
-- @treturn any ... the arguments of the next resume
-- @function yield
lib.yield = yield

--- The running coroutine.
-- @treturn ?thread nil in the main chunk
-- @function running
lib.running = running

--- May the running coroutine yield?
-- @treturn boolean
-- @function isyieldable
lib.isyieldable = coroutine.isyieldable

-- What waited in co has its result, unless co was resumed by coroutine.resume
-- in between.
local function go_on(co, ...)
  if status(co) == "suspended" then
    return resume(co, ...)
  end
  drop(...)
  return false, "cannot go on in a coroutine that coroutine.resume has resumed "
    .. "while it waited"
end

-- co has yielded, ended, or must wait: then so must the one that resumed it.
local function back(co, ...)
  local _, first = ...
  if first == mark then
    return back(co, go_on(co, yield(select(2, ...))))
  end
  resumers[co] = nil
  return ...
end

--- Runs co until it yields or ends.
-- @tparam thread co
-- @tparam[opt] any ... arguments of its function, or results of its yield
-- @treturn boolean false when it raised, or cannot be resumed: it has ended,
-- runs, or waits in some task
-- @treturn any ... what it yielded or returned; the error
function lib.resume(co, ...)
  check(co, "thread", "resume")
  if resumers[co] == nil then
    resumers[co] = running() or true
    return back(co, resume(co, ...))
  elseif status(co) == "suspended" then
    return false, "cannot resume a coroutine that waits"
  end
  return resume(co)
end

--- The state of co.
-- @tparam thread co
-- @treturn string "running"; "normal" when it has resumed another one, or
-- waits in some task; "suspended"; "dead"
function lib.status(co)
  check(co, "thread", "status")
  local state = status(co)
  if state == "suspended" and resumers[co] ~= nil then
    return "normal"
  end
  return state
end

-- As back, for wrap.
local function unwrap(co, ok, ...)
  local first = ...
  if first == mark then
    return unwrap(co, go_on(co, yield(...)))
  end
  resumers[co] = nil
  if ok then
    return ...
  end
  error(first, type(first) == "string" and 2 or 0)
end

--- A function that resumes a coroutine of its own at each call, and raises its
-- errors: `for x in wrap(function() ... end) do`.
-- @func fn
-- @treturn function
function lib.wrap(fn)
  check(fn, "function", "wrap")
  local co = create(fn)
  return function(...)
    if resumers[co] ~= nil then
      error(select(2, lib.resume(co)), 2)
    end
    resumers[co] = running() or true
    return unwrap(co, resume(co, ...))
  end
end

return lib
