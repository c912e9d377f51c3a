--- Reading directories: an iterator that is a handle of C.
-- Source: bindings/fs/readdir.c
-- @module quoll.fs.directory

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local options = require "quoll.options"

local raw = core.fs
local raise = core.raise

local OPTIONS = { root = "string" }

local directory = { methods = raw.directory_methods }

--- The iterator's step, without raising.
-- @tparam Directory self
-- @treturn[1] string name, and its type
-- @treturn[2] nil at the end
-- @treturn[3] nil
-- @treturn[3] string err
-- @treturn[3] string CODE
function directory.next(self)
  return finish(raw.directory_next(self))
end

local function step(self)
  local name, kind, code = finish(raw.directory_next(self))
  if code then
    raise(kind)
  elseif name == nil then
    return nil
  end
  return name, kind
end

--- Iterates over a directory: name and type of each entry but "." and "..",
-- in no order. Types are stat's; nil when the entry was gone before its type
-- was known. Memory does not depend on the number of entries. Raises on a
-- failure in the middle.
-- @string path
-- @tparam ?table opts `root`: path is looked up below this directory, and
-- neither "..", "/" nor a symbolic link leaves it
-- @treturn[1] Directory the iterator, a handle owned by the running task:
-- close() ends it early, as its end does
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: ENOENT, ENOTDIR, EACCES, EMFILE, EXDEV (outside of
-- the root), ...
function directory.readdir(path, opts)
  local root = options.check(opts, OPTIONS, "readdir").root
  local handle, err, code = raw.directory(path, step, root)
  if not handle then
    return nil, err, code
  end
  local ok
  ok, err, code = finish(raw.directory_open(handle))
  if not ok then
    handle:close()
    return nil, err, code
  end
  return handle
end

return directory
