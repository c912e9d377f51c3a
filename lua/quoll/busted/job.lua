--- The task of a test, and what runs in it one after the other.
-- @module quoll.busted.job

local core = require "quoll.core"
local quoll = require "quoll"
local finish = require("quoll.wait").finish

local job = {}

local Test = {}
Test.__index = Test

local GRACE = 1 -- seconds for a test that is cancelled

-- Who waits for it goes on when it is cancelled.
local function gate(test)
  local task = quoll.timer.after(math.huge, print)
  test.hidden[task:id()] = true
  return task
end

local function children(id)
  local n = 0
  for _, task in ipairs(quoll.tasks { traceback = false }) do
    n = n + (task.parent == id and 1 or 0)
  end
  return n
end

-- ------------------------------------------------------------ reporting ----

-- Where the error came from that is raised again: busted looks at the place of
-- the second raise.
local origin

local function put_origin(_, _, _, trace)
  if origin and trace then
    for key, value in pairs(origin) do
      trace[key] = value
    end
  end
  origin = nil
  return nil, true
end

-- The test in which tasks fail for which nobody waits.
local watched

local function note(text, task)
  if not watched then
    return false
  end
  watched.failed[#watched.failed + 1] = { text = text, task = task }
  return true
end

--- Once for each spec file.
function job.init(busted)
  job.busted = busted
  core.on_failure(note)
  for _, status in ipairs { "failure", "error", "pending" } do
    for _, descriptor in ipairs { "it", "before_each", "after_each" } do
      busted.subscribe({ status, descriptor }, put_origin, { priority = 1 })
    end
  end
end

-- The first function that is neither C nor of the assertions.
local function place()
  local level = 3
  local info = debug.getinfo(level, "Sl")
  while info and (info.what == "C"
    or info.source:find "[/\\]luassert[/\\]"
    or info.source:find "[/\\]busted[/\\]core%.lua$") do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return info or { short_src = "?", currentline = 0 }
end

local function caught(err)
  local at = place()
  return { value = err, origin = {
    short_src = at.short_src,
    currentline = at.currentline,
    traceback = debug.traceback("", 2):match (
      "^(.-)\n%s*%[C%]: in function 'xpcall'"),
  } }
end

-- As busted words errors, with the place of the first raise.
local function words(value, at)
  if type(value) == "table" and type(value.message) == "string" then
    value.message = words(value.message, at) -- a failure, or pending
    return value
  elseif not at.short_src
    or type(value) == "string" and value:find "^[^\n]-:%d+: " then
    return value
  elseif value == nil then
    value = "Nil error"
  elseif type(value) ~= "string" then
    local shown = (debug.getmetatable(value) or {}).__tostring
    value = (shown and tostring or require("pl.pretty").write)(value)
  end
  return ("%s:%d: %s"):format(at.short_src, at.currentline, value)
end

local function raise(failure)
  origin = failure.origin
  error(words(failure.value, failure.origin), 0)
end

-- The tasks that live and were not there before, with what they do.
local function alive(test)
  local list, at = {}, nil
  for _, task in ipairs(quoll.tasks()) do
    if not test.before.tasks[task.id] and not test.hidden[task.id] then
      list[#list + 1] = ("task %d%s: %s%s\n%s"):format(task.id,
        task.name and " '" .. task.name .. "'" or "", task.state,
        task.waits and ", " .. task.waits or "", task.traceback or "")
      at = at or task.where
    end
  end
  return table.concat(list, "\n"), at
end

-- -------------------------------------------------------------- running ----

local function serve(test)
  local self = test.task:id()
  while true do
    test.idle:wait()
    local now = test.job
    local before = now.ends and children(self)
    local ok, failure = xpcall(now.fn, caught)
    if ok and before then
      finish(core.task_room(before + 1))
    end
    now.ended, now.failure = true, not ok and failure or nil
    test.idle = now.next
    now.done:cancel()
  end
end

-- Tells the job that its task has ended.
local function watch(test, task)
  local ok, err = pcall(task.wait, task)
  local now = test.job
  if now then
    now.failure = { value = ok and "the test's task was cancelled" or err,
      origin = { traceback = "" } }
    now.done:cancel()
  end
end

local function start(test)
  test.idle = gate(test)
  test.task = quoll.spawn(serve, test)
  test.task:name "test"
  local watcher = quoll.spawn(watch, test, test.task)
  test.hidden[watcher:id()] = true
end

--- A test that begins.
-- @tparam table before what was there, for the report of what lives too long
-- @treturn table its :run(), :close() and :check()
function job.test(before)
  watched = setmetatable({ before = before, hidden = {}, place = "?",
    failed = {} }, Test)
  return watched
end

-- What has failed and nobody has waited for, also since; nil: nothing.
local function take_failed(test)
  local texts = {}
  for _, one in ipairs(test.failed) do
    if not core.task_seen(one.task) then
      texts[#texts + 1] = one.text
    end
  end
  test.failed = {}
  return texts[1] and table.concat(texts, "\n")
end

-- The test has failed itself.
local function log_failed(test)
  local text = take_failed(test)
  if text then
    core.log_lines("error", text)
  end
end

--- Raises when a task has failed for which nobody waited.
-- @string[opt] name the test's, when busted does not say it
function Test:check(name)
  local text = take_failed(self)
  if text then
    origin = { traceback = "" }
    job.busted.fail(("%s: %s%s"):format(self.place, name and name .. ": " or "",
      text), 0)
  end
end

-- The deadline is over: ends the task, raises who was alive.
local function late(test, deadline)
  local text, at = alive(test)
  log_failed(test)
  test.job = nil
  test.task:cancel("no end within " .. deadline .. " s")
  pcall(test.task.wait, test.task, GRACE)
  test.idle:cancel()
  origin = { traceback = "" }
  job.busted.fail(("%s: no end within %g s; alive are:\n%s"):format(
    at or test.place, deadline, text), 0)
end

--- Runs fn in the test's task, from the main chunk. Raises its error, or when
-- it has not ended within deadline seconds.
-- @func fn
-- @number deadline seconds
-- @tparam[opt] table settings ends: the tasks that fn spawned must end as well,
-- and none may fail
function Test:run(fn, deadline, settings)
  if not self.task or self.task:status() == "cancelled"
    or self.task:status() == "failed" then
    start(self)
  end
  local now = { fn = fn, ends = settings and settings.ends,
    done = gate(self), next = gate(self) }
  self.job = now
  self.idle:cancel()
  local _, why = now.done:wait(deadline)
  if why == "timeout" then
    now.done:cancel()
    now.next:cancel()
    late(self, deadline)
  end
  self.job = nil
  if not now.ended then
    now.next:cancel()
  end
  if now.failure then
    log_failed(self)
    raise(now.failure)
  elseif now.ends then
    self:check()
  end
end

--- Ends the task of the test with all that it spawned and opened. `check` tells
-- what has failed since.
-- @number deadline seconds
function Test:close(deadline)
  if self.task then
    self.task:cancel "the test is over"
    pcall(self.task.wait, self.task, deadline)
    self.idle:cancel()
  end
  watched = nil
end

return job
