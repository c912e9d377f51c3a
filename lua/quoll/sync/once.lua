--- One run for all who ask for the same thing at the same time.
-- @module quoll.sync.once

local core = require "quoll.core"
require "quoll.task" -- its methods

local options = require "quoll.options"

local bad_argument = core.bad_argument
local spawn, detach = core.spawn, core.task_detach
local status, cancel = core.task_status, core.task_cancel
local wait = core.task.wait

local ENDED = { done = true, failed = true, cancelled = true }
local NO_KEY = {}

local once = {}

-- One caller has its results, or waits no more.
local function leave(runs, key, run, ok, ...)
  run.callers = run.callers - 1
  if runs[key] == run and (run.callers == 0 or ENDED[status(run.task)]) then
    runs[key] = nil
  end
  if run.callers == 0 and not ENDED[status(run.task)] then
    cancel(run.task, "nobody waits for it any more")
  end
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Makes a function of which calls with the same key share one run.
--
-- get(key, ...) calls fn(key, ...) in a task of its own, or waits for the run
-- that is under way; returns its results or raises its error. A caller that is
-- cancelled leaves the run to the others; when the last one leaves it is
-- cancelled. What a run has returned is not kept.
-- @func fn
-- @tparam ?table opts `timeout`: seconds that a caller waits at most; then it
-- gets nil, "timeout", "TIMEOUT" and has left
-- @treturn function get
function once.new(fn, opts)
  if type(fn) ~= "function" then
    bad_argument(fn, "fn", "once", "a function")
  end
  opts = options.check(opts, { timeout = "number" }, "once")
  options.check_timeout(opts.timeout, "once")
  local runs, timeout = {}, opts.timeout
  return function(key, ...)
    if key ~= key then
      bad_argument(key, "key", "once", "a value other than NaN")
    end
    local slot = key == nil and NO_KEY or key
    local run = runs[slot]
    if not run or ENDED[status(run.task)] then
      run = { callers = 0, task = detach(spawn(fn, key, ...)) }
      runs[slot] = run
    end
    run.callers = run.callers + 1
    return leave(runs, slot, run, pcall(wait, run.task, timeout))
  end
end

return once
