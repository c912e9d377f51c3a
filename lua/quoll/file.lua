--- Files that never block the loop.
-- What the page cache holds comes at once; the rest by direct AIO ("rd") or
-- by a thread. See docs/DESIGN.md, "Files".
-- @module quoll.file

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raw = core.file
local File = core.methods.file
local files = {}

local modes = { r = false, rb = false, rd = true, rbd = true }

--- Opens a regular file for reading.
-- @string path
-- @string[opt="r"] mode "r", or "rd": direct, past the page cache
-- @treturn file
-- @return nil, "path: no such file or directory", "ENOENT"
function files.open(path, mode)
  if type(path) ~= "string" then
    core.raise("bad argument 'path' to 'open' (a string expected, got "
      .. type(path) .. ")")
  end
  local direct = modes[mode or "r"]
  if direct == nil then
    core.raise("bad argument 'mode' to 'open' (\"r\" or \"rd\" expected, got "
      .. tostring(mode) .. ")")
  end
  return raw.open(path, direct)
end

local function read_formats(self, format, ...)
  local value, err, code = finish(raw.read(self, format))
  if err then
    return nil, err, code
  elseif value == nil or select("#", ...) == 0 then
    return value
  end
  return value, read_formats(self, ...)
end

--- Reads at the file's position, like io's file:read.
-- @param[opt="*l"] ... a number of bytes, "*l" line, "*L" line with its end,
-- "*a" the rest, "*n" a number
-- @return one value per format; nil at the end of the file, which is not
-- sticky: what is appended later is read by the next call
-- @return nil, "path: err", CODE; nil, "busy reading", "BUSY"
function File:read(...)
  return read_formats(self, ...)
end

--- Reads n bytes at an offset; several may be under way at once.
-- @number n bytes, at most 1 GiB
-- @number offset from the start, 0 or more
-- @treturn ?string fewer than n bytes only at the end of the file, nil past it
-- @return nil, "path: err", CODE
function File:pread(n, offset)
  return finish(raw.pread(self, n, offset))
end

--- Sets and tells the position of read and lines.
-- @string[opt="cur"] whence "set", "cur" or "end"
-- @number[opt=0] offset bytes
-- @treturn number position from the start
function File:seek(whence, offset)
  whence = whence or "cur"
  if whence ~= "set" and whence ~= "cur" and whence ~= "end" then
    core.raise("bad argument 'whence' to 'seek' "
      .. "(\"set\", \"cur\" or \"end\" expected)")
  end
  return raw.seek(self, whence, offset or 0)
end

--- Its size now.
-- @treturn number bytes
function File:size()
  return raw.size(self)
end

local function iterate(self, format)
  return function()
    local value, err = self:read(format)
    if value == nil and err then
      core.raise(err)
    end
    return value
  end
end

--- Iterates over the lines, without their ends; raises on failure.
function File:lines()
  return iterate(self, "*l")
end

--- Iterates over chunks of n bytes; the last may be shorter.
-- @number n bytes
function File:chunks(n)
  if type(n) ~= "number" or n < 1 or n % 1 ~= 0 then
    core.raise("bad argument 'n' to 'chunks' (a number of bytes expected, got "
      .. tostring(n) .. ")")
  end
  return iterate(self, n)
end

return files
