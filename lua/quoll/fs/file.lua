--- Files that never block the loop.
-- What the page cache holds comes at once; the rest by direct AIO ("rd") or
-- by a thread. See docs/DESIGN.md, "Files".
-- @module quoll.fs.file

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local iterator = require "quoll.iterator"
local options = require "quoll.options"
local mark, take = core.mark, core.take

local raw = core.file
local pread = raw.pread
local File = core.methods.file
local files = {}

local CHUNK = 65536 -- bytes that chunks() gives by default

local MODES = { r = true, w = true, a = true,
  ["r+"] = true, ["w+"] = true, ["a+"] = true }
local SYNC = { data = "boolean" }
local OPEN = { root = "string", direct = "boolean", directio = true,
  permissions = true, miss = true }

local function bad_mode(mode)
  core.raise(([[bad argument 'mode' to 'open' ("r", "w", "a", "r+", "w+" or ]]
    .. [["a+", with "b" or "d" behind, expected, got %s)]])
    :format(tostring(mode)))
end

-- Each mode met so far: io's mode without "b" and "d", and whether "d".
local bare, direct_modes = { r = "r" }, { r = false }

local function parse(mode)
  local first, rest = tostring(mode):match "^([rwa])([+bd]*)$"
  local name = first and first .. rest:gsub("[bd]", "")
  local direct = name and rest:find("d", 1, true) ~= nil
  if type(mode) ~= "string" or not MODES[name] or rest:find "b.*b"
    or rest:find "d.*d" or direct and (name == "w" or name == "a") then
    bad_mode(mode)
  end
  bare[mode], direct_modes[mode] = name, direct
end

local function check_whole(opts, name, min, max)
  local value = opts[name]
  if value ~= nil and not (type(value) == "number" and value % 1 == 0
    and value >= min and value <= max) then
    core.raise(("bad argument '%s' to 'open' (a whole number from %d to %d "
      .. "expected, got %s)"):format(name, min, max, tostring(value)))
  end
  return value
end

local function miss_direct(miss)
  if miss ~= nil and miss ~= "thread" and miss ~= "direct" then
    core.raise(([[bad argument 'miss' to 'open' ("thread" or "direct" ]]
      .. "expected, got %s)"):format(tostring(miss)))
  end
  return miss == "direct"
end

local function open_with(path, mode, direct, opts)
  options.check(opts, OPEN, "open")
  if opts.direct ~= nil then
    direct = opts.direct
  end
  if direct and (mode == "w" or mode == "a") then
    core.raise(("bad argument 'direct' to 'open' (mode \"%s\" does not read)")
      :format(mode))
  end
  return finish(raw.open(path, mode, direct, opts.root,
    check_whole(opts, "directio", 1, 2 ^ 52),
    check_whole(opts, "permissions", 0, 4095), miss_direct(opts.miss)))
end

--- Opens a regular file. Waits where the kernel has to look for it.
-- @string path
-- @string[opt="r"] mode io's "r" "w" "a" "r+" "w+" "a+"; "b" behind changes
-- nothing, "d" reads direct, past the page cache
-- @tparam ?table opts `root`: path is looked up below this directory, and
-- neither "..", "/" nor a symbolic link leaves it; `direct`: read direct or
-- not; `directio`: files of at least so many bytes are read direct;
-- `miss`: who reads what the page cache has not, a "thread" (it stays in the
-- cache) or "direct" AIO; `permissions`: of a file that is created, before the
-- umask (tonumber("666", 8))
-- @treturn[1] File the file, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "path: is a directory", "path: outside of its root", ...
-- @treturn[2] string CODE: "ENOENT", "EISDIR", "EINVAL", "EXDEV", ...
function files.open(path, mode, opts)
  if type(path) ~= "string" then
    core.bad_argument(path, "path", "open", "a string")
  end
  mode = mode or "r"
  if not bare[mode] then
    parse(mode)
  end
  if opts ~= nil then
    return open_with(path, bare[mode], direct_modes[mode], opts)
  end
  return finish(raw.open(path, bare[mode], direct_modes[mode]))
end

--- Closes it; who reads it gets "closed". Waits for a file that was opened for
-- writing, and tells what went wrong with what was written.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed", or "path: err": it is closed all the same
-- @treturn[2] string CODE
function File:close()
  return finish(raw.close(self))
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
-- @tparam[opt="*l"] number|string ... a number of bytes, "*l" line, "*L" line
-- with its end, "*a" the rest, "*n" a number
-- @treturn[1] ?string|number ... one value per format; nil at the end of the
-- file, which is not sticky: what is appended later is read by the next call
-- @treturn[2] nil
-- @treturn[2] string "path: err" or "busy reading"
-- @treturn[2] string CODE
function File:read(...)
  return read_formats(self, ...)
end

--- Reads n bytes at an offset; several may be under way at once.
-- @number n bytes, at most 1 GiB
-- @number offset from the start, 0 or more
-- @treturn[1] ?string fewer than n bytes only at the end of the file, nil past
-- it
-- @treturn[2] nil
-- @treturn[2] string "path: err"
-- @treturn[2] string CODE
function File:pread(n, offset)
  -- Called once a block: finish() written out, without its varargs.
  local data, err, code = pread(self, n, offset)
  if data == mark then
    return take(err, code)
  elseif data or not err then
    return data
  end
  return nil, err, code
end

--- Writes at the file's position, or at its end where it was opened for
-- appending ("a", "a+"); the position is then behind what was written. The
-- kernel has the bytes when it returns: nothing is held back, and many small
-- writes are better made one, of a table.
-- @tparam string|number|table ... strings, numbers and nested tables of these
-- @treturn[1] File the file
-- @treturn[2] nil after a failure; the position is behind what was written
-- until then
-- @treturn[2] string "path: no space left on device", "busy writing", ...
-- @treturn[2] string CODE: "ENOSPC", "EDQUOT", "EIO", "EFBIG", "EBADF",
-- "BUSY", ...
function File:write(...)
  local ok, err, code = finish(raw.write(self, ...))
  if ok then
    return self
  end
  return nil, err, code
end

--- Writes at an offset; several may be under way at once, in no order. The
-- position stays.
-- @tparam string|number|table data also a nested table of these
-- @number offset from the start, 0 or more
-- @treturn[1] File the file
-- @treturn[2] nil after a failure; a part may have been written
-- @treturn[2] string "path: err"
-- @treturn[2] string CODE
function File:pwrite(data, offset)
  local ok, err, code = finish(raw.pwrite(self, offset, data))
  if ok then
    return self
  end
  return nil, err, code
end

--- Makes the file `size` bytes long: cuts it, or puts zero bytes at its end.
-- The position stays.
-- @number size bytes
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "path: err"
-- @treturn[2] string CODE
function File:truncate(size)
  return finish(raw.truncate(self, size))
end

--- Waits until what was written is on the disk.
-- @tparam ?table opts `data`: true to leave out what is not needed to read it
-- again, its times
-- @treturn[1] boolean true
-- @treturn[2] nil something may be lost, also of earlier writes; a second sync
-- does not try again
-- @treturn[2] string "path: input/output error", ...
-- @treturn[2] string CODE: "EIO", "ENOSPC", ...
function File:sync(opts)
  if opts ~= nil then
    options.check(opts, SYNC, "sync")
  end
  return finish(raw.sync(self, opts ~= nil and opts.data))
end

--- Sets and tells the position of read, write and lines.
-- @string[opt="cur"] whence "set", "cur" or "end"
-- @number[opt=0] offset bytes
-- @treturn number position from the start
function File:seek(whence, offset)
  whence = whence or "cur"
  if whence ~= "set" and whence ~= "cur" and whence ~= "end" then
    core.raise("bad argument 'whence' to 'seek' "
      .. "(\"set\", \"cur\" or \"end\" expected)")
  end
  return finish(raw.seek(self, whence, offset or 0))
end

--- What is known of it.
-- @treturn[1] table as quoll.fs.stat returns it
-- @treturn[2] nil
-- @treturn[2] string "path: err"
-- @treturn[2] string CODE
function File:stat()
  return finish(raw.stat(self))
end

--- Its size now.
-- @treturn number bytes
function File:size()
  return finish(raw.size(self))
end

-- "*a" and 0 would give "" for ever.
local function check_line_format(format)
  if type(format) == "number" then
    if format >= 1 and format <= 2 ^ 30 and format % 1 == 0 then
      return
    end
  elseif format == nil
    or type(format) == "string" and format:find "^%*?[lLn]" then
    return
  end
  core.raise(([[bad argument 'format' to 'lines' ("*l", "*L", "*n" or a ]]
    .. "number of bytes from 1 to 2^30 expected, got %s)")
    :format(tostring(format)))
end

local function next_line(self, format)
  local line, err = finish(raw.read(self, format))
  if err then
    core.raise(err)
  end
  return line
end

--- Iterates over what `read` gives for a format, from the position on.
-- @tparam[opt="*l"] number|string format as `read` takes it, but not "*a" and
-- 0, which would never end
-- @treturn Iterator an iterator: it ends at the end of the file, raises on
-- failure, and close() ends it early; the file stays open
function File:lines(format)
  check_line_format(format)
  return iterator.new(next_line, self, format)
end

local function next_chunk(chunks)
  local chunk, err = finish(raw.next(chunks))
  if chunk == nil and err then
    core.raise(err)
  end
  return chunk
end

--- Iterates over chunks of n bytes, the last may be shorter, from the file's
-- position on, which stays where it is. Up to 1 MiB is read ahead as soon as
-- the disk has to be waited for. Raises on failure, as does each call of the
-- iterator; the next call tries the same chunk again.
-- @int[opt=65536] n bytes, at most 1 GiB
-- @treturn Iterator the iterator, a handle: close() ends it early
function File:chunks(n)
  local chunks, err = raw.chunks(self, n == nil and CHUNK or n, next_chunk)
  if not chunks then
    core.raise(err)
  end
  return chunks
end

return files
