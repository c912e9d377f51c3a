--- Iterators over what a method reads step by step: called by `for`, closed
-- early by close().
-- @module quoll.iterator

local raise = require("quoll.core").raise

local Iterator = {}
local meta = { __index = Iterator, __name = "iterator" }
local iterator = {}

local function closed()
  raise "closed"
end

function meta:__call()
  return self.step(self.from, self.how)
end

--- Makes one.
-- @tparam function step step(from, how) -> value | nil at the end; raises on
-- failure
-- @param from what is read
-- @param how it is read
-- @treturn Iterator
function iterator.new(step, from, how)
  return setmetatable({ step = step, from = from, how = how }, meta)
end

--- Ends it early; what it reads from stays open. Further calls raise "closed".
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was
-- @treturn[2] string CODE
function Iterator:close()
  if self.step == closed then
    return nil, "closed", "CLOSED"
  end
  self.step, self.from = closed, nil
  return true
end

return iterator
