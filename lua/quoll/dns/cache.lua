--- Answers by name and type, until they expire: so many at most, and of them
-- the ones that were used last.
-- @module quoll.dns.cache

local cache = {}

local Cache = {}
Cache.__index = Cache

--- An empty cache.
-- @int max entries; 0: none is kept
-- @treturn Cache
function cache.new(max)
  local self = setmetatable({ max = max }, Cache)
  self.hits, self.misses, self.evicted = 0, 0, 0
  self:flush()
  return self
end

-- The ring of entries: self.ring.after is the one that was used last.
local function unlink(entry)
  entry.before.after, entry.after.before = entry.after, entry.before
end

local function link_first(ring, entry)
  entry.before, entry.after = ring, ring.after
  ring.after.before, ring.after = entry, entry
end

function Cache:remove(entry)
  unlink(entry)
  self.entries[entry.key] = nil
  self.count = self.count - 1
end

--- @string key
-- @number now
-- @treturn ?table the entry, unless it has expired
function Cache:get(key, now)
  local entry = self.entries[key]
  if entry and entry.expires <= now then
    self:remove(entry)
    entry = nil
  end
  if not entry then
    self.misses = self.misses + 1
    return nil
  end
  self.hits = self.hits + 1
  unlink(entry)
  link_first(self.ring, entry)
  return entry
end

--- Keeps an entry, in the place of another of that key.
-- @string key
-- @tparam table entry with `expires`
function Cache:put(key, entry)
  if self.max < 1 then
    return
  end
  if self.entries[key] then
    self:remove(self.entries[key])
  elseif self.count >= self.max then
    self.evicted = self.evicted + 1
    self:remove(self.ring.before)
  end
  entry.key = key
  self.entries[key] = entry
  self.count = self.count + 1
  link_first(self.ring, entry)
end

--- Forgets everything.
function Cache:flush()
  local ring = {}
  ring.before, ring.after = ring, ring
  self.ring, self.entries, self.count = ring, {}, 0
end

return cache
