--- quoll: a reactor for Lua scripts.
-- Everything that waits (accept, receive, send, read, sleep) suspends the
-- running task and lets the others go on; in the main chunk it runs the loop.
-- Failures are `nil, err, CODE`; misuse raises at the caller's line.
-- @module quoll

local core = require "quoll.core"

core.own_chunks(debug.getinfo(1, "S").source:match "^(.*[/\\])" or "@quoll/")

local task = require "quoll.task"
local scope = require "quoll.task.scope"
local race = require "quoll.task.race"
local listener = require "quoll.net.listener"
require "quoll.net.connection"
require "quoll.net.passing"
require "quoll.net.idle"
local connect = require "quoll.net.connect"
local udp = require "quoll.net.udp"
local fs = require "quoll.fs"
local dump = require "quoll.dump"
local options = require "quoll.options"
local stdio = require "quoll.stdio"
local stop = require "quoll.stop"

local quoll = {
  _VERSION = core.version,
  run = task.run,
  spawn = task.spawn,
  current = task.current,
  sleep = task.sleep,
  yield = task.yield,
  iscancelled = task.iscancelled,
  locals = require "quoll.task.locals",
  traceback = task.traceback,
  scope = scope.scope,
  deadline = scope.deadline,
  shield = scope.shield,
  defer = require("quoll.task.defer").defer,
  race = race.race,
  any = race.any,
  all = race.all,
  waitfd = task.waitfd,
  wait = require("quoll.task.pollable").wait,
  adopt = require("quoll.net.adopt").adopt,
  stop = stop.stop,
  stopping = stop.stopping,
  fd = task.fd,
  step = task.step,
  inherited = require("quoll.net.inherited").inherited,
  listen = listener.listen,
  serve = listener.serve,
  connect = connect.connect,
  udp = udp.udp,
  open = fs.open,
  timer = require "quoll.timer",
  coroutine = require "quoll.coroutine",
  dns = require "quoll.dns",
  fs = fs,
  sync = require "quoll.sync",
  process = require "quoll.process",
  tls = require "quoll.tls",
  signal = require "quoll.signal",
}

quoll.fs.watch = require("quoll.watch").watch

--- The module's values.
-- @table quoll
-- @tfield string _VERSION the version
-- @tfield table locals values of the running task, see quoll.task.locals
-- @tfield Connection stdin made when it is first asked for; no task owns it
-- @tfield Connection stdout likewise
-- @tfield Connection stderr likewise

--- Seconds on the monotonic clock, exact at each call.
-- @treturn number
function quoll.now()
  return core.now()
end

--- Seconds since 1970, wall clock.
-- @treturn number
function quoll.time()
  return core.time()
end

--- Sets the runtime's sizes, before the loop's first turn; log_level, debug
-- and the watchdog's slices (s; 0: off) at any time. Bad values raise with the
-- setting's range.
-- @tparam[opt] table settings epoll_events, worker_aio_requests, ...
-- @treturn table every setting with its value
function quoll.configure(settings)
  return core.configure(settings)
end

local stats_options = { reset = "boolean" }

--- Counters and gauges of the runtime.
-- @tparam[opt] table opts `reset`: true forgets the longest turn afterwards
-- @treturn table loop, connections, keepalive, aio, files, pool, tasks, alerts
function quoll.stats(opts)
  local reset = options.check(opts, stats_options, "stats").reset
  local stats = core.stats()
  local loop = core.turn_stats(stats.loop, reset)
  loop.events_per_turn = loop.events / math.max(loop.turns, 1)
  local files = stats.files
  files.iocbs_per_submit = stats.aio.submitted / math.max(files.submits, 1)
  stats.tasks = core.task_stats()
  return stats
end

local tasks_options = { traceback = "boolean" }

--- Every live task, parents before their children, for a person to look at.
-- @tparam[opt] table opts `traceback`: false leaves tracebacks out: with
-- 100,000 tasks they are most of the time
-- @treturn table array of {id, name, parent (an id, 0 is the main chunk), age
-- (s), cpu (s), state, waits (what it waits for, in words), since (s, of this
-- wait), left (s of its timeout), where ("file:line" of the script),
-- traceback}; [0] is the main chunk
function quoll.tasks(opts)
  local wanted = options.check(opts, tasks_options, "tasks")
  return (core.tasks(wanted.traceback ~= false))
end

--- Writes one line to the log.
-- @string level "error", "warn", "notice", "info", "debug", ...
-- @tparam any ... values, written one after the other
function quoll.log(level, ...)
  return core.log(level, ...)
end

core.on_quit(function()
  io.stderr:write(dump.text(quoll.stats()), "\n")
end)

return setmetatable(quoll, {
  __index = function(self, name)
    local value
    if name == "http" then
      value = require "quoll.http"
    else
      value = stdio.get(name)
    end
    self[name] = value
    return value
  end,
})
