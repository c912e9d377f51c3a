--- Whole files: read, replaced, appended to.
-- Reading is composed of open and pread, so that what the page cache has needs
-- no thread. Source of the rest: bindings/fs/save.c
-- @module quoll.fs.content

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local options = require "quoll.options"
local file = require "quoll.fs.file"

local raw = core.fs
local bad_argument = core.bad_argument

local READ_MAX = 2 ^ 30   -- bytes, when the caller sets no limit
local READ_PIECE = 2 ^ 20 -- bytes of a read
local READ_FIRST = 2 ^ 16 -- of a file that says it is empty, as /proc's do

local content = {}

local function too_large(path)
  return nil, path .. ": file too large", "EFBIG"
end

local function read_all(opened, path, max)
  local size, err, code = opened:size()
  if not size then
    return nil, err, code
  elseif size > max then
    return too_large(path)
  end
  local n = size == 0 and READ_FIRST or math.min(size + 1, READ_PIECE)
  local parts, have, data = {}, 0
  repeat
    data, err, code = opened:pread(n, have)
    if err then
      return nil, err, code
    end
    data = data or ""
    have = have + #data
    if have > max then
      return too_large(path)
    end
    parts[#parts + 1] = data
    local last = #data < n
    n = READ_PIECE
  until last
  return parts[2] and table.concat(parts) or parts[1]
end

local function closing(opened, ok, ...)
  opened:close()
  if not ok then
    error(..., 0)
  end
  return ...
end

local READ = { max = "number", root = "string" }

--- Reads a whole file.
-- @string path of a regular file
-- @tparam ?number|table opts `max`: bytes (1 GiB), also in place of the table;
-- `root`: path is looked up below this directory
-- @treturn[1] string the content
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: ENOENT, EISDIR, EFBIG (more than max), EIO, ...
function content.readfile(path, opts)
  local max, root = opts, nil
  if type(opts) == "table" then
    options.check(opts, READ, "readfile")
    max, root = opts.max, opts.root
  end
  if type(path) ~= "string" then
    bad_argument(path, "path", "readfile", "a string")
  elseif max ~= nil and not (type(max) == "number" and max >= 0) then
    bad_argument(max, "max", "readfile", "bytes, 0 or more,")
  end
  local opened, err, code = file.open(path, "r", root and { root = root })
  if not opened then
    return nil, err, code
  end
  return closing(opened, pcall(read_all, opened, path, max or READ_MAX))
end

local SAVE = { permissions = "number", root = "string", sync = "boolean" }

--- Gives a file a new content, complete or not at all: it is written to a file
-- beside it, `.quoll-...`, which then takes its place. A failure or a
-- cancellation leaves the old content, and nothing else. Owner and permissions
-- of an existing file stay, a symbolic link too: what it leads to is written.
-- @string path of a regular file, or of none
-- @tparam string|number|table data also an array of these and of such arrays
-- @tparam ?table opts `sync` (true): the content is on the disk before it
-- takes its place, so that also a power failure leaves the old or the new
-- one; `permissions` of a new file, before the umask (438); `root`: path is
-- looked up below this directory, and a symbolic link at path is ELOOP
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: ENOENT, ENOSPC, EISDIR, EINVAL (no regular file),
-- ...
function content.writefile(path, data, opts)
  opts = options.check(opts, SAVE, "writefile")
  return finish(raw.writefile(path, data, opts.sync ~= false,
    opts.permissions, opts.root))
end

--- Writes at the end of a file, which is made if need be. Up to 1 MiB goes in
-- one write: what several append at a time does not mix. A failure or a
-- cancellation in the middle of more leaves what was written.
-- @string path of a regular file, or of none
-- @tparam string|number|table data as writefile takes it
-- @tparam ?table opts `sync` (false): it is on the disk on return;
-- `permissions` as writefile's; `root`: path is looked up below this directory
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: as writefile
function content.append(path, data, opts)
  opts = options.check(opts, SAVE, "append")
  return finish(raw.append(path, data, opts.sync, opts.permissions,
    opts.root))
end

return content
