--- A piece of a file as a body, or as part of one.
-- @module quoll.http.part

local core = require "quoll.core"
local raw = require "quoll.http.core"

local bad_argument = core.bad_argument

local part = {}

--- The metatable of parts: what answers requests tells them by it.
part.type = { __name = "quoll.http.part" }
raw.parts(part.type)

local function whole(value)
  return type(value) == "number" and value >= 0 and value % 1 == 0
    and value <= 2 ^ 52
end

--- A piece of an open file, for a handler to return as its body or in a list
-- beside strings. It is sent without a copy where the kernel has it. The file
-- stays open until the answer has been sent; an answer that meets its end
-- before `n` bytes cuts the connection.
-- @tparam File file open for reading
-- @int[opt=0] offset bytes from its start
-- @int[opt] n bytes; nil: up to the end as it is now
-- @treturn[1] Part with the fields file, offset and n
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE
function part.part(file, offset, n)
  if type(file) ~= "userdata" or getmetatable(file) ~= "file" then
    bad_argument(file, "file", "part", "an open file")
  elseif offset ~= nil and not whole(offset) then
    bad_argument(offset, "offset", "part", "bytes, 0 or more,")
  elseif n ~= nil and not whole(n) then
    bad_argument(n, "n", "part", "bytes, 0 or more,")
  end
  offset = offset or 0
  if not n then
    local size, err, code = file:size()
    if not size then
      return nil, err, code
    end
    n = math.max(size - offset, 0)
  end
  return setmetatable({ file = file, offset = offset, n = n }, part.type)
end

return part
