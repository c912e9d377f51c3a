--- Watching a file or a folder: its changes as events, one by one.
--
-- Failures are `nil, err, CODE`. Source: bindings/fs/watch.c
-- @module quoll.watch

local bit = require "bit"
local core = require "quoll.core"
local options = require "quoll.options"
local readdir = require("quoll.fs").readdir
local source = require "quoll.watch.source"
local process = require("quoll.watch.events").process
local steps = require "quoll.watch.steps"
local tree = require "quoll.watch.tree"

local IN = source.IN
local raise = core.raise

local MOVES = bit.bor(IN.MOVED_FROM, IN.MOVED_TO)

-- What the kernel is asked for; these are told only when wanted.
local MASKS = {
  create = IN.CREATE,
  modify = IN.MODIFY,
  attrib = IN.ATTRIB,
  close_write = IN.CLOSE_WRITE,
  delete = IN.DELETE,
  rename = MOVES,
  move_from = MOVES,
  move_to = MOVES,
}

local OPTIONS = { events = "table", recursive = "boolean" }

-- Steps come before what is told, or folders would be watched late; but only
-- so much is kept.
local TOLD = 1024

local Watch = {}
local meta = { __index = Watch, __name = "watch" }
local watch = { methods = Watch }

local function describe(path, err, code)
  if code == "ENOSPC" then
    err = "no watches left (fs.inotify.max_user_watches)"
  elseif code == "EMFILE" then
    err = "too many open files or watches (fs.inotify.max_user_instances)"
  end
  return nil, ("%s: %s"):format(path, err), code
end

local function names()
  local list = {}
  for name in pairs(MASKS) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, ", ")
end

-- {type = whether it is told}, and what the kernel is asked for.
local function choose(events)
  local wanted, mask = {}, 0
  for name, bits in pairs(MASKS) do
    wanted[name] = events == nil
    mask = bit.bor(mask, events == nil and bits or 0)
  end
  for _, name in ipairs(events or {}) do
    if not MASKS[name] then
      raise(("bad argument 'events' to 'watch' (no event '%s'; there are: %s)")
        :format(tostring(name), names()))
    end
    wanted[name] = true
    mask = bit.bor(mask, MASKS[name])
  end
  return wanted, mask
end

-- Everything that there is is watched.
local function begin(self)
  local done, err, code, node
  repeat
    done, err, code, node = self.steps:work()
    if done == false and (node == self.tree.root or code == "ENOSPC") then
      return nil, err, code
    elseif done == false then
      self.tree:unwatched(node, err, code)
    end
  until done == nil
  return self
end

--- Watches a file or a folder.
-- @string path symbolic links are followed
-- @tparam ?table opts `events`: a list of the types that are wanted (all);
-- `recursive`: what is below the folder too, now and later; symbolic links
-- below it are not followed
-- @treturn[1] Watch the watch, owned by the running task; an iterator
-- @treturn[2] nil
-- @treturn[2] string "path: no such file or directory", ...
-- @treturn[2] string CODE: ENOENT, EACCES, ENOSPC (no watches left), EMFILE
function watch.watch(path, opts)
  local ok, err, code = core.watch.check(path)
  if not ok then
    return nil, err, code
  end
  opts = options.check(opts, OPTIONS, "watch")
  local wanted, mask = choose(opts.events)
  local handle
  handle, err, code = core.watch.open()
  if not handle then
    return describe(path, err, code)
  end
  local known = tree.new(path, wanted, opts.recursive)
  local self = setmetatable({
    handle = handle,
    source = source.new(handle),
    tree = known,
    steps = steps.new(handle, known, mask, opts.recursive and readdir),
    reading = false,
    over = false, -- "gone" has been told
  }, meta)
  local done
  done, err, code = begin(self)
  if not done then
    handle:close()
    return describe(path, err, code)
  end
  return self
end

-- What is known, then what follows from it, then what the kernel tells next.
-- A cancellation loses nothing: what was cut short is done by the next call.
local function advance(self, s)
  local known, kernel = self.tree, self.source
  local deadline = s and core.now() + s
  while true do
    local done, why, code, node
    if known:told() < TOLD then
      done, why, code, node = self.steps:work()
    end
    if done == false then
      known:unwatched(node, why, code)
    elseif not done and known:told() > 0 then
      return known:take()
    elseif not done and known.ended then
      self.over = true
      self.handle:close()
      return nil, "closed", "CLOSED"
    elseif not done then
      if next(known.fresh) and kernel:empty() then
        known:settle()
      end
      local event, err
      event, err, code = kernel:peek(deadline
        and math.max(0, deadline - core.now()))
      if not event then
        return nil, err, code
      end
      process(known, event)
      kernel:drop()
    end
  end
end

local function leave(self, ok, ...)
  self.reading = false
  if not ok then
    error((...), 0)
  end
  return ...
end

--- The next event.
-- @tparam ?number s seconds at most; 0: only if there is one
-- @treturn[1] table `type`, `path`, `name` (its last part), `directory`
-- (whether it is one), `from` (of a rename: the path it had)
-- @treturn[2] nil
-- @treturn[2] string "timeout", "closed", "busy reading"
-- @treturn[2] string CODE
function Watch:next(s)
  if s ~= nil and (type(s) ~= "number" or s < 0 or s ~= s) then
    core.bad_argument(s, "s", "next", "seconds, 0 or more,")
  elseif self.reading then
    return nil, "busy reading", "BUSY"
  end
  self.reading = true
  return leave(self, pcall(advance, self, s))
end

-- `for event in w do` ends behind the last event, and raises on failure: also
-- when the watch is closed before.
function meta:__call()
  local event, err = self:next()
  if event or self.over then
    return event
  end
  raise(err)
end

--- Ends the watch; who waits for an event gets "closed".
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was
-- @treturn[2] string CODE
function Watch:close()
  return self.handle:close()
end

--- Makes the running task its owner.
-- @treturn Watch
function Watch:own()
  self.handle:own()
  return self
end

--- Leaves it to the collector: no task's end closes it.
-- @treturn Watch
function Watch:disown()
  self.handle:disown()
  return self
end

return watch
