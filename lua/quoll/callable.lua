--- What can be called.
-- @module quoll.callable

--- Whether a value can be called as a function is: one, or a table or userdata
-- whose metatable says how.
-- @param value
-- @treturn boolean
return function(value)
  if type(value) == "function" then
    return true
  end
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and meta.__call ~= nil
end
