--- Signals as events of the loop.
--
-- A signal is taken while somebody waits for it; else it does what it always
-- did. Of a kind that comes several times before anybody looks, one is told.
--
-- Source: bindings/signal/signal.c, taken.c
-- @module quoll.signal

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local guard = require "quoll.guard"

local bad, raise = core.bad_argument, core.raise
local number_of, name_of = core.process.signal_number, core.process.signal_name

local signal = {}

-- What a program cannot take, or only at the place that raised it; what quoll
-- itself is told by.
local refused = {
  SIGKILL = "cannot be taken", SIGSTOP = "cannot be taken",
  SIGSEGV = "is an error of the program", SIGBUS = "is an error of the program",
  SIGFPE = "is an error of the program", SIGILL = "is an error of the program",
  SIGTRAP = "is an error of the program", SIGSYS = "is an error of the program",
  SIGABRT = "is an error of the program",
  SIGPROF = "is the watchdog's", SIGALRM = "is timer_resolution's",
}

local function check(name, method)
  local signo = type(name) == "string" and number_of(name)
  if not signo then
    bad(name, "name", method, "the name of a signal")
  end
  local why = refused[name_of(signo)]
  if why then
    raise(("bad argument 'name' to '%s' (%s %s)")
      :format(method, name_of(signo), why))
  end
  return signo
end

local function taken(taker, s)
  local signo, err, code = finish(core.signal_taken(taker, s))
  if signo then
    return name_of(signo)
  end
  return nil, err, code
end

local function give_back(taker, ok, ...)
  core.signal_give_back(taker)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Waits for the first of some signals.
-- @string ... names, "SIGHUP" or "HUP"; behind them a number: seconds
-- @treturn[1] string its name, "SIGHUP"
-- @treturn[2] nil
-- @treturn[2] string "timeout"
-- @treturn[2] string CODE
function signal.wait(...)
  local n = select("#", ...)
  local args, signals = { ... }, {}
  local s
  if n > 1 and (args[n] == nil or type(args[n]) == "number") then
    n, s = n - 1, args[n]
  end
  for i = 1, n do
    signals[i] = check(args[i], "wait")
  end
  if n == 0 then
    bad(nil, "name", "wait", "the name of a signal")
  elseif s and (s < 0 or s ~= s) then
    bad(s, "s", "wait", "seconds, 0 or more")
  end
  local taker, err, code = core.signal_take(signals)
  if not taker then
    return nil, err, code
  end
  return give_back(taker, pcall(taken, taker, s))
end

local function serve(taker, fn)
  local name = taken(taker)
  while name do
    guard.call(core.signal_failed, fn, name)
    name = taken(taker)
  end
end

--- Calls fn(name) for each signal that comes, one at a time, in a task of the
-- caller's scope. An error of fn is logged, and the next one is waited for.
-- @tparam string|{string,...} names "SIGHUP" or "HUP"
-- @func fn
-- @treturn[1] Task :cancel() gives the signals back
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function signal.on(names, fn)
  local signals = {}
  for i, name in ipairs(type(names) == "table" and names or { names }) do
    signals[i] = check(name, "on")
  end
  if #signals == 0 then
    bad(names, "name", "on", "the name of a signal")
  elseif type(fn) ~= "function" then
    bad(fn, "fn", "on", "a function")
  end
  local taker, err, code = core.signal_take(signals)
  if not taker then
    return nil, err, code
  end
  local task = core.spawn(serve, taker, fn)
  core.signal_hand(taker, task) -- closed with it, even before it has begun
  return task
end

return signal
