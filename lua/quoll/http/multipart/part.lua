--- One part of a multipart form: a field, or a file.
-- @module quoll.http.multipart.part

local core = require "quoll.core"
local files = require "quoll.fs"
local iterator = require "quoll.iterator"
local scope = require "quoll.task.scope"

local raise = core.raise

local BODY_MAX = 2 ^ 20 -- bytes that body() gives by default

local Part = {}
local meta = { __index = Part, __name = "part" }
local part = { methods = Part }

--- A part of an uploaded form.
-- @table Part
-- @tfield ?string name of its field
-- @tfield ?string filename without folders; nil: no file, "": none was chosen
-- @tfield ?string type its Content-Type
-- @tfield table headers

--- Makes one.
-- @tparam table fields name, filename, type, headers
-- @func pull pull() -> piece | nil at its end; raises on failure
-- @treturn Part
function part.new(fields, pull)
  fields.pull = pull
  return setmetatable(fields, meta)
end

--- Ends it: what has not been read is read and dropped.
-- @tparam Part self
function part.finish(self)
  while not self.ended and self.pull() do end
  self.pull = nil
end

local function next_piece(self)
  if not self.pull then
    raise "closed"
  elseif self.ended then
    return nil
  end
  local piece = self.pull()
  self.ended = not piece
  return piece
end

--- Iterates over its content, as it comes.
-- @treturn Iterator of strings; raises on failure
function Part:chunks()
  return iterator.new(next_piece, self)
end

--- Its content, or what chunks() has left of it.
-- @number[opt=1048576] max bytes
-- @treturn[1] string
-- @treturn[2] nil the part is skipped
-- @treturn[2] string "part too large"
-- @treturn[2] string "EMSGSIZE"
function Part:body(max)
  max = max or BODY_MAX
  local pieces, size = {}, 0
  for piece in self:chunks() do
    size = size + #piece
    if size > max then
      return nil, "part too large", "EMSGSIZE"
    end
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

local function write(self, file)
  local size = 0
  for piece in self:chunks() do
    local ok, err, code = file:write(piece)
    if not ok then
      return nil, err, code
    end
    size = size + #piece
  end
  local ok, err, code = file:close()
  return ok and size, err, code
end

-- What goes wrong is told of the path that the script knows.
local function write_and_place(self, file, temporary, path)
  local size, err, code = write(self, file)
  if size then
    local ok
    ok, err, code = files.rename(temporary, path)
    size = ok and size
  end
  if not size then
    return nil, path .. err:sub(#temporary + 1), code
  end
  return size
end

local function remove(file, path)
  file:close()
  files.unlink(path)
end

local function clean(file, temporary, ok, size, err, code)
  if ok and size then
    return size
  end
  scope.shield(nil, remove, file, temporary)
  if not ok then
    error(size, 0)
  end
  return nil, err, code
end

--- Writes its content to a file, complete or not at all: it takes its place
-- when the last byte is written. Only its owner can read it (0600).
-- @string path
-- @treturn[1] number bytes
-- @treturn[2] nil
-- @treturn[2] string "path: no such file or directory", ...
-- @treturn[2] string CODE
function Part:save(path)
  if type(path) ~= "string" then
    core.bad_argument(path, "path", "save", "a string")
  end
  local dir = path:match "^(.*/)[^/]*$" or "."
  local file, temporary, code =
    files.tempfile { dir = dir, prefix = ".quoll-" }
  if not file then
    return nil, temporary, code
  end
  return clean(file, temporary,
    pcall(write_and_place, self, file, temporary, path))
end

return part
