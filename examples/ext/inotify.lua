--- What changes in a folder, told by the kernel. The Lua half of inotify.c.
--
--     local watch = assert(inotify.new())
--     assert(watch:add("/etc", { "create", "delete" }))
--     for event in watch:events() do print(event.name, event.create) end

local core = require "inotify_core"
local finish = require("quoll.wait").finish

local bor, band = bit.bor, bit.band

-- The words of inotify(7), in small letters and without their "IN_".
local BITS = {
  access = 0x1, modify = 0x2, attrib = 0x4, close_write = 0x8,
  close_nowrite = 0x10, open = 0x20, moved_from = 0x40, moved_to = 0x80,
  create = 0x100, delete = 0x200, delete_self = 0x400, move_self = 0x800,
}
-- What only comes back.
local ALSO = { q_overflow = 0x4000, ignored = 0x8000, isdir = 0x40000000 }

local Inotify = core.methods -- close, own and disown are in it already

local function bits_of(names)
  local mask = 0
  if type(names) ~= "table" then
    error("bad names: an array of events is expected, got " .. type(names), 3)
  end
  for _, name in ipairs(names) do
    mask = bor(mask, BITS[name]
      or error(("no event is called '%s'"):format(name), 3))
  end
  return mask
end

--- Watches a path; waits until a thread has looked it up.
-- @string path
-- @tparam {string,...} names the events that count: "create", "modify", ...
-- @treturn[1] number its watch descriptor: wd of its events
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE: ENOENT, EACCES, ENOSPC, ...
function Inotify:add(path, names)
  return finish(core.add(self, path, bits_of(names)))
end

--- Waits for the next event.
-- @number[opt] s seconds at most
-- @treturn[1] table wd, name, cookie; and by its name each bit that is set:
-- create = true, isdir = true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Inotify:next(s)
  local wd, mask, cookie, name = finish(core.next(self, s))
  if not wd then
    return nil, mask, cookie -- err, CODE
  end
  local event = { wd = wd, name = name, cookie = cookie }
  for _, words in ipairs { BITS, ALSO } do
    for word, bits in pairs(words) do
      event[word] = band(mask, bits) ~= 0 or nil
    end
  end
  return event
end

--- Iterates over the events, until the handle is closed.
function Inotify:events()
  return function()
    local event, err, code = self:next()
    if not event and code ~= "CLOSED" and code ~= "OWNER_ENDED" then
      error(err, 0)
    end
    return event
  end
end

return { new = core.new }
