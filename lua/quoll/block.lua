--- Memory that is no Lua string, and that can be sent all the same: cdata and
-- LuaJIT's string.buffer objects.
-- @module quoll.block

local core = require "quoll.core"

local raise = core.raise
local _, ffi = pcall(require, "ffi")
local _, buffer = pcall(require, "string.buffer")

local block = {}

local kinds = {} -- ctype id -> "pointer", "value" or false

-- Arrays, structs, unions and pointers to data have bytes to send.
local function kind_of(data)
  local ctype = ffi.typeof(data)
  local id = tonumber(ctype)
  if kinds[id] == nil then
    local text = tostring(ctype):match("^ctype<(.*)>$")
    if text:find("%*$") or text:find("%(%*%)%[") then
      kinds[id] = "pointer"
    else
      kinds[id] = (text:find("%]$") or text:find("^struct ")
        or text:find("^union ")) and "value" or false
    end
  end
  return kinds[id]
end

local function check_size(n, most, method)
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 or n > most then
    core.bad_argument(n, "n", method, most < math.huge
      and ("a number of bytes up to %d"):format(most) or "a number of bytes")
  end
  return n
end

local function of_cdata(data, n, method)
  local kind = kind_of(data)
  if not kind then
    return nil
  end
  local size = kind == "value" and ffi.sizeof(data) or math.huge
  if n ~= nil or kind == "pointer" then
    size = check_size(n, size, method)
  end
  local address = ffi.cast("const char *", data)
  if address == nil and size > 0 then
    raise(("bad argument 'data' to '%s' (%d bytes expected, got NULL)")
      :format(method, size))
  end
  return tonumber(ffi.cast("uintptr_t", address)), size, true
end

local ref = type(buffer) == "table" and buffer.new().ref

local function of_buffer(data, n, method)
  local ok, address, size = pcall(ref, data)
  if not ok then
    return nil
  end
  if n ~= nil then
    raise(("bad argument 'n' to '%s' (a string.buffer has its own size)")
      :format(method))
  end
  return tonumber(ffi.cast("uintptr_t", address)), size, false
end

--- Where the bytes of a value are.
-- @param data a cdata or a string.buffer
-- @tparam ?int n bytes; required for a pointer
-- @string method for messages
-- @treturn[1] int address
-- @treturn[1] int bytes
-- @treturn[1] boolean whether they stay there while the value lives
-- @treturn[2] nil it is neither
function block.find(data, n, method)
  if type(data) == "cdata" then
    return of_cdata(data, n, method)
  elseif ref and type(data) == "userdata" then
    return of_buffer(data, n, method)
  end
  return nil
end

core.blocks(block.find)

return block
