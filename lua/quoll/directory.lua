--- Reading directories: an iterator over a handle of C.
-- Source: bindings/fs/readdir.c
-- @module quoll.directory

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raw = core.fs
local raise = core.raise

local Directory = {}
local meta = { __index = Directory, __name = "directory" }
local directory = { methods = Directory }

--- The iterator's step, without raising.
-- @tparam Directory self
-- @treturn[1] string name, and its type
-- @treturn[2] nil at the end
-- @treturn[3] nil
-- @treturn[3] string err
-- @treturn[3] string CODE
function directory.next(self)
  if self.ended then
    return nil
  end
  local name, kind, code = finish(raw.directory_next(self.handle))
  if name == nil and code ~= "BUSY" then
    self.handle:close()
    self.ended = code == nil
  end
  return name, kind, code
end

function meta:__call()
  local name, kind, code = directory.next(self)
  if code then
    raise(kind)
  elseif name == nil then
    return nil
  end
  return name, kind
end

--- Stops early; the end of the iteration does the same.
-- @treturn boolean true, or nil, "closed", "CLOSED"
function Directory:close()
  return self.handle:close()
end

--- Makes the running task its owner.
-- @treturn Directory itself
function Directory:own()
  self.handle:own()
  return self
end

--- Leaves it to the collector: no task's end closes it.
-- @treturn Directory itself
function Directory:disown()
  self.handle:disown()
  return self
end

--- Iterates over a directory: name and type of each entry but "." and "..",
-- in no order. Types are stat's; nil when the entry was gone before its type
-- was known. Memory does not depend on the number of entries. Raises on a
-- failure in the middle.
-- @string path
-- @treturn[1] Directory an iterator, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: ENOENT, ENOTDIR, EACCES, EMFILE, ...
function directory.readdir(path)
  local handle, err, code = raw.directory(path)
  if not handle then
    return nil, err, code
  end
  local ok
  ok, err, code = finish(raw.directory_open(handle))
  if not ok then
    handle:close()
    return nil, err, code
  end
  return setmetatable({ handle = handle }, meta)
end

return directory
