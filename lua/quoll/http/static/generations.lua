--- What was used lately, within limits: two halves of a table. What is used
-- moves into the young one; when that is full, the old one is forgotten.
-- @module quoll.http.static.generations

local generations = {}
generations.__index = generations

--- Makes an empty one.
-- @int entries at most so many are kept
-- @number weight and at most so much of their weights together; each at most
-- half of it
-- @func[opt] forgotten called with each value that is not kept any more
-- @treturn Generations
function generations.new(entries, weight, forgotten)
  return setmetatable({ entries = entries / 2, weight = weight / 2,
    forgotten = forgotten, young = {}, old = {}, count = 0, heavy = 0 },
    generations)
end

local function forget(self, value)
  if value and self.forgotten then
    self.forgotten(value)
  end
end

--- Forgets what has not been used since the last time.
function generations:turn()
  if self.forgotten then
    for _, value in pairs(self.old) do
      self.forgotten(value)
    end
  end
  self.old, self.young, self.count, self.heavy = self.young, {}, 0, 0
end

local function take_out(self, key)
  local value = self.young[key]
  if value then
    self.count, self.heavy = self.count - 1, self.heavy - value.weight
    self.young[key] = nil
    return value
  end
  value = self.old[key]
  self.old[key] = nil
  return value
end

local function insert(self, key, value)
  if self.count + 1 > self.entries
    or self.heavy + value.weight > self.weight then
    self:turn()
  end
  self.young[key] = value
  self.count, self.heavy = self.count + 1, self.heavy + value.weight
end

--- Keeps a value under a key, instead of what was kept there.
-- @string key
-- @tparam table value with a `weight`
function generations:put(key, value)
  forget(self, take_out(self, key))
  insert(self, key, value)
end

--- What is kept under a key.
-- @string key
-- @treturn ?table
function generations:get(key)
  local value = self.young[key]
  if value or not self.old[key] then
    return value
  end
  value = take_out(self, key)
  insert(self, key, value)
  return value
end

--- Forgets what is kept under a key.
-- @string key
function generations:drop(key)
  forget(self, take_out(self, key))
end

return generations
