--- Calls that must not end who makes them.
-- @module quoll.guard

local core = require "quoll.core"

local guard = {}

local function pass(report, ok, err)
  if ok then
    return
  elseif core.iscancelled(err) then
    error(err, 0)
  elseif not pcall(report, err) then
    report "its error cannot be shown" -- out of memory
  end
end

--- fn(...); its error goes to report(text) with the traceback, a cancellation
-- on.
-- @func report
-- @func fn
-- @tparam[opt] any ...
function guard.call(report, fn, ...)
  pass(report, xpcall(fn, core.traceback, ...))
end

return guard
