--- The kernel's events of a watch, in order; the two halves of a rename are
-- brought together.
-- @module quoll.watch.source

local band = require("bit").band
local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raw_next = core.watch.next
local now = core.now

-- inotify's bits.
local IN = {
  MODIFY = 0x2,
  ATTRIB = 0x4,
  CLOSE_WRITE = 0x8,
  MOVED_FROM = 0x40,
  MOVED_TO = 0x80,
  CREATE = 0x100,
  DELETE = 0x200,
  DELETE_SELF = 0x400,
  MOVE_SELF = 0x800,
  UNMOUNT = 0x2000,
  Q_OVERFLOW = 0x4000,
  IGNORED = 0x8000,
  ONLYDIR = 0x1000000,
  DONT_FOLLOW = 0x2000000,
  EXCL_UNLINK = 0x4000000,
  ISDIR = 0x40000000,
}

local source = { IN = IN }

-- The kernel queues both halves in one system call, but not as one: another
-- processor may read between them, or put an event there.
local PAIR = 0.01 -- seconds
local PAIR_EVENTS = 64 -- looked at, however late

local Source = {}
Source.__index = Source

--- @param handle of core.watch.open
function source.new(handle)
  return setmetatable({
    handle = handle,
    first = 1, -- self[first .. last]: read, not dropped
    last = 0,
    halves = {}, -- cookie -> IN_MOVED_TO among them
  }, Source)
end

-- One more from the kernel: true, or nil, err, CODE.
function Source:pull(s)
  local wd, mask, cookie, name = finish(raw_next(self.handle, s))
  if not wd then
    return nil, mask, cookie
  end
  local event = { wd = wd, mask = mask, cookie = cookie, name = name,
    at = now() }
  if band(mask, IN.MOVED_TO) ~= 0 then
    self.halves[cookie] = event
  end
  self.last = self.last + 1
  self[self.last] = event
  return true
end

-- The IN_MOVED_TO of an IN_MOVED_FROM; nil: it went where nobody watches.
function Source:other_half(from)
  local looked = 0
  while not self.halves[from.cookie] do
    local left = from.at + PAIR - now()
    if left <= 0 and looked >= PAIR_EVENTS
      or not self:pull(math.max(left, 0)) then
      return nil
    end
    looked = looked + 1
  end
  local to = self.halves[from.cookie]
  to.claimed = true
  return to
end

--- The next event, which stays until drop(). Waits s seconds at most.
-- @treturn table {wd, mask, name, to}: to is the other half of a rename
-- @return nil, err, CODE
function Source:peek(s)
  while true do
    local event = self[self.first]
    if not event then
      local ok, err, code = self:pull(s)
      if not ok then
        return nil, err, code
      end
    elseif event.claimed then
      self:drop()
    else
      if band(event.mask, IN.MOVED_FROM) ~= 0 and not event.to then
        event.to = self:other_half(event)
      end
      return event
    end
  end
end

--- Goes past the event.
function Source:drop()
  self.halves[self[self.first].cookie] = nil
  self[self.first] = nil
  self.first = self.first + 1
end

--- Nothing is left, neither here nor in the kernel.
function Source:empty()
  return self.first > self.last and not self:pull(0)
end

return source
