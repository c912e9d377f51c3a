--- The files below a folder: described, small ones kept with their bytes,
-- larger ones kept open.
-- @module quoll.http.static.files

local core = require "quoll.core"
local content = require "quoll.fs.file"
local date = require "quoll.http.syntax.date"
local finish = require("quoll.wait").finish
local generations = require "quoll.http.static.generations"
local options = require "quoll.options"
local types = require "quoll.http.static.types"

local now, stat, share = core.now, core.fs.stat, core.file.share
local this_turn = core.turn

-- A file that changes twice within a tick of its file system's clock keeps its
-- times. Seconds: the kernel's tick, and that of file systems without
-- fractions.
local TICK, COARSE_TICK = 0.02, 2

local LIMITS = { valid = "number", small = "number", memory = "number",
  entries = "number", open = "number" }
local KEPT = { valid = 0, small = 2 ^ 15, memory = 2 ^ 24, entries = 1000,
  open = 100 }
local NOTHING_KEPT = { valid = 0, small = 0, memory = 0, entries = 0, open = 0 }

local INACTIVE = 60 -- seconds: what was not used for that long is let go

local files = {}
files.__index = files

local function close(entry)
  entry.kept = false
  entry.file:close()
end

--- What static's option `cache` says, its defaults beside it.
-- @tparam ?table|boolean cache false: nothing is kept
-- @treturn table as `new` takes it
function files.limits(cache)
  if cache == false then
    cache = NOTHING_KEPT
  end
  cache = options.check(cache, LIMITS, "static")
  local limits = {}
  for name, value in pairs(KEPT) do
    local given = cache[name]
    if given and (given < 0 or given ~= given) then
      core.bad_argument(given, name, "static", "a number, 0 or more,")
    end
    limits[name] = given or value
  end
  limits.small = math.min(limits.small, limits.memory / 2)
  return limits
end

--- Files below a folder: `time` is when they were last asked for, as of
-- quoll.now().
-- @string root the folder
-- @tparam table opts `small`: up to so many bytes are kept in memory; `memory`:
-- bytes of them all; `entries`: number of them; `open`: of larger ones that are
-- kept open; `valid`: seconds for which what is kept is taken for unchanged;
-- `types`: as types.of takes them
-- @treturn Files
function files.new(root, opts)
  return setmetatable({
    root = root, beneath = { root = root }, small = opts.small,
    valid = opts.valid, open = opts.open, types = opts.types,
    turned = now(), turn = -1, time = 0,
    bytes = generations.new(opts.entries, opts.memory),
    opened = generations.new(opts.open, math.huge, close),
  }, files)
end

local function same(entry, info)
  return entry.ctime == info.ctime and entry.mtime == info.mtime
    and entry.size == info.size and entry.ino == info.ino
    and entry.dev == info.dev
end

-- May have changed since without a trace in its times.
local function young(info, time)
  local tick = info.ctime % 1 == 0 and COARSE_TICK or TICK
  return math.abs(time - info.ctime) < tick
end

-- mtime and size alone do not tell two files apart whose times somebody has
-- set (reproducible builds, rsync -t): the inode does, at the price that two
-- servers tag the same file differently.
local function tag(info, time)
  return ('%s"%x-%x-%x"'):format(young(info, time) and "W/" or "",
    info.mtime * 1e6 % 2 ^ 52, info.size, info.ino % 2 ^ 52)
end

local function describe(self, name, info)
  local time = core.time()
  return {
    name = name, size = info.size, mtime = info.mtime, ctime = info.ctime,
    ino = info.ino, dev = info.dev, weight = 0,
    checked = now(), turn = this_turn(),
    type = types.of(name, self.types), etag = tag(info, time),
    modified = date.format(math.min(info.mtime, time)),
    settled = not young(info, time),
  }
end

-- The bytes of a file that nobody changed meanwhile; else nil.
local function read(file, entry)
  local bytes = file:pread(entry.size + 1, 0) or ""
  local info = #bytes == entry.size and file:stat()
  return info and same(entry, info) and bytes or nil
end

-- The file has a handle for each who uses it.
local function use(entry)
  return entry, entry.file and share(entry.file)
end

-- The entry of a file just opened, kept if it can be.
local function keep(self, entry, file)
  if entry.size <= self.small then
    entry.bytes = read(file, entry)
    entry.weight = entry.size
  end
  if entry.bytes then
    file:close()
    if entry.settled and self.bytes.entries > 0 then
      self.bytes:put(entry.name, entry)
    end
    return entry
  elseif self.open == 0 or not entry.settled then
    return entry, file
  end
  entry.file, entry.kept, entry.weight = file:disown(), true, 0
  self.opened:put(entry.name, entry)
  return use(entry)
end

-- What is kept counts while the path leads to the very file. A turn's requests
-- were there when it began: one look is for all of them.
local function current(self, entry)
  local turn, time = self.turn, self.time
  if entry.turn == turn or time - entry.checked < self.valid then
    return true
  end
  local info = finish(stat(self.root .. "/" .. entry.name))
  if info and same(entry, info) then
    entry.checked, entry.turn = time, turn
    return true
  end
  return false
end

local function open(self, name)
  self.bytes:drop(name)
  self.opened:drop(name)
  local file, err, code = content.open(name, "r", self.beneath)
  if not file then
    return nil, code, err
  end
  local info
  info, err, code = file:stat()
  if not info then
    return nil, code, err
  end
  return keep(self, describe(self, name, info), file)
end

-- A turn takes no time: its clock is read once.
local function begin(self)
  local turn = this_turn()
  if turn == self.turn then
    return
  end
  local time = now()
  self.turn, self.time = turn, time
  if time - self.turned > INACTIVE then
    self.turned = time
    self.bytes:turn()
    self.opened:turn()
  end
end

--- A file below the folder.
-- @string name its path from there
-- @treturn[1] table entry: `name`, `size`, `mtime`, `type`, `etag`, `modified`
-- (Last-Modified) and, when it is small, its `bytes`
-- @treturn[1] ?File when it has no `bytes`: open until the running task ends
-- @treturn[2] nil
-- @treturn[2] string CODE: ENOENT, EISDIR, EXDEV (outside of the folder), ...
-- @treturn[2] string "name: ..."
function files:get(name)
  begin(self)
  local entry = self.bytes:get(name) or self.opened:get(name)
  -- Another task may have closed it while this one looked at its times.
  if entry and current(self, entry) and (entry.bytes or entry.kept) then
    return use(entry)
  end
  return open(self, name)
end

return files
