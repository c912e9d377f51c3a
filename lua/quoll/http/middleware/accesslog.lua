--- Access logs: gathered in memory, written by a thread.
-- @module quoll.http.middleware.accesslog

local callable = require "quoll.callable"
local core = require "quoll.core"
local defer = require("quoll.task.defer").defer
local files = require "quoll.fs"
local finish = require("quoll.wait").finish
local lines = require "quoll.http.middleware.lines"
local mutex = require "quoll.sync.mutex"
local options = require "quoll.options"
local scope = require "quoll.task.scope"

local OPTIONS = { to = true, format = true, interval = "number" }
local INTERVAL = 1       -- seconds that a line stays in memory
local FLUSH = 65536      -- bytes that are written at once
local KEPT = 2 ^ 20      -- bytes at most, while the disk is slow

local Log = {}
local meta = { __index = Log, __name = "access log" }
local accesslog = { methods = Log }

local function writer(to)
  if callable(to) then
    return to
  elseif type(to) == "string" then
    return function(data) return files.append(to, data) end
  end
  core.bad_argument(to, "to", "accesslog", "a path or a function")
end

local function formatter(name)
  if callable(name) then
    return name
  elseif type(name) == "string" and lines[name] then
    return lines[name]()
  end
  core.bad_argument(name, "format", "accesslog",
    "\"common\", \"combined\", \"json\" or a function")
end

--- Makes an access log, for `serve`'s option `log`.
-- Lines leave after a second or 64 KiB, and when the server stops. The
-- file is opened for each write: one that was renamed or removed is made anew,
-- and nobody need be told. While it cannot be written the server goes on, and
-- lines beyond 1 MiB are lost and counted.
-- @tparam table opts `to`: a path, or a function(data) -> true | nil, err that
-- may wait; `format` ("combined"): also "common", "json", or a function(req,
-- status, bytes, seconds) -> line without its end; `interval` (1): seconds
-- @treturn Log
function accesslog.accesslog(opts)
  opts = options.check(opts, OPTIONS, "accesslog")
  return setmetatable({ write = writer(opts.to), kept = {}, size = 0,
    format = formatter(opts.format or "combined"), lost = 0,
    interval = opts.interval or INTERVAL, mutex = mutex.new() }, meta)
end

local function report(self, err)
  if err ~= self.told then
    self.told = err
    core.log("warn", "access log: ", tostring(err))
  end
end

-- Lines that come while it writes are its next ones.
local function write_all(self)
  while self.kept[1] do
    local kept = self.kept
    self.kept, self.size = {}, 0
    local ok, err = self.write(table.concat(kept))
    if ok then
      self.told = nil
    else
      self.lost = self.lost + #kept
      report(self, err)
    end
  end
end

-- One task at a time, which no cancellation interrupts.
local function flush(self)
  scope.shield(nil, self.mutex.with, self.mutex, write_all, self)
end

-- However the task ends, what was gathered is written: also by a signal.
local function wait(self)
  defer(flush, self)
  finish(core.stopping(self.interval))
end

local ENDED = { done = true, failed = true, cancelled = true }

local function ended(task)
  return not task or ENDED[task:status()]
end

--- Notes one request.
-- @tparam Request req
-- @number status
-- @number bytes of the answer's body
-- @number seconds it took
function Log:record(req, status, bytes, seconds)
  local line = self.format(req, status, bytes, seconds) .. "\n"
  if self.size + #line > KEPT then
    self.lost = self.lost + 1
    return
  end
  self.kept[#self.kept + 1] = line
  self.size = self.size + #line
  if self.size >= FLUSH and ended(self.writer) then
    self.writer = core.spawn(flush, self):detach()
  elseif ended(self.waiter) then
    self.waiter = core.spawn(wait, self):detach()
  end
end

--- Waits until everything that was noted before is written.
-- @function Log:flush
Log.flush = flush

return accesslog
