--- Operations on paths. None of them blocks the loop: what may have to wait
-- for a disk is done by a thread. A task that is cancelled stops waiting at
-- once; what no thread has begun is not done at all.
--
-- Failures are nil, "path: no such file or directory", "ENOENT", and name the
-- path that failed.
--
-- The option `root` is a directory: paths are looked up below it, and neither
-- "..", "/" nor a symbolic link in them leads out of it (EXDEV), whoever
-- changes directories meanwhile. ENOSYS before Linux 5.6.
-- Source: bindings/fs
-- @module quoll.fs

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local options = require "quoll.options"
local file = require "quoll.fs.file"
local content = require "quoll.fs.content"
local directory = require "quoll.fs.directory"

local raw = core.fs

local ROOT = { root = "string" }

local fs = {
  open = file.open,
  readfile = content.readfile,
  writefile = content.writefile,
  append = content.append,
  readdir = directory.readdir,
}

--- What a path leads to, through symbolic links.
-- @string path
-- @tparam ?table opts `root`: path is looked up below this directory
-- @treturn[1] table `type` ("file", "directory", "link", "fifo", "socket",
-- "char", "block"), `size` and `blocks` (bytes; 512 bytes), `mode` (the
-- permissions: 420 is tonumber("644", 8)), `uid`, `gid`, `nlink`, `ino`,
-- `dev`, `mtime`, `atime`, `ctime` and, where the file system keeps it,
-- `birthtime` (seconds since 1970, with a fraction)
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: ENOENT, ENOTDIR, EACCES, ELOOP, ...
function fs.stat(path, opts)
  local root = options.check(opts, ROOT, "stat").root
  return finish(raw.stat(path, root))
end

--- The same of a symbolic link itself.
-- @string path
-- @tparam ?table opts `root` as stat's
-- @treturn table or nil, "path: ...", CODE: as stat
function fs.lstat(path, opts)
  local root = options.check(opts, ROOT, "lstat").root
  return finish(raw.lstat(path, root))
end

--- Makes a directory.
-- @string path
-- @tparam ?table opts `parents`: the directories above it too, and no failure
-- when it exists; `permissions`: before the umask (511, tonumber("777", 8));
-- `root` as stat's
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "path: file exists", ...
-- @treturn[2] string CODE: EEXIST, ENOENT, ENOTDIR, ...
function fs.mkdir(path, opts)
  opts = options.check(opts, { parents = "boolean", permissions = "number",
    root = "string" }, "mkdir")
  return finish(raw.mkdir(path, opts.root, opts.parents, opts.permissions))
end

--- Removes a name: of a file, a link, a socket; not of a directory.
-- @string path
-- @tparam ?table opts `root` as stat's
-- @treturn boolean true, or nil, "path: ...", CODE: ENOENT, EISDIR, ...
function fs.unlink(path, opts)
  local root = options.check(opts, ROOT, "unlink").root
  return finish(raw.unlink(path, root))
end

--- Removes an empty directory.
-- @string path
-- @tparam ?table opts `root` as stat's
-- @treturn boolean true, or nil, "path: ...", CODE: ENOTEMPTY, ENOENT, ...
function fs.rmdir(path, opts)
  local root = options.check(opts, ROOT, "rmdir").root
  return finish(raw.rmdir(path, root))
end

--- Renames a file or a directory; what has the new name is replaced. Errors
-- name `from`, as os.rename's do.
-- @string from
-- @string to
-- @tparam ?table opts `root` as stat's: of both paths, and an error in looking
-- up `to` names it
-- @treturn boolean true, or nil, "from: ...", CODE: ENOENT, EXDEV, ...
function fs.rename(from, to, opts)
  local root = options.check(opts, ROOT, "rename").root
  return finish(raw.rename(from, to, root))
end

--- Makes a symbolic link. Errors name `path`.
-- @string target what it leads to, as it is; need not exist
-- @string path
-- @tparam ?table opts `root` as stat's: of `path`; `target` may lead out of it
-- @treturn boolean true, or nil, "path: ...", CODE: EEXIST, ...
function fs.symlink(target, path, opts)
  local root = options.check(opts, ROOT, "symlink").root
  return finish(raw.symlink(target, path, root))
end

--- What a symbolic link leads to, as it is.
-- @string path
-- @tparam ?table opts `root` as stat's
-- @treturn string target, or nil, "path: ...", CODE: EINVAL (no link), ...
function fs.readlink(path, opts)
  local root = options.check(opts, ROOT, "readlink").root
  return finish(raw.readlink(path, root))
end

--- The absolute path without symbolic links, "." and "..".
-- @string path of something that exists
-- @tparam ?table opts `root` as stat's; the result is absolute all the same
-- (it is asked of /proc)
-- @treturn string path, or nil, "path: ...", CODE: ENOENT, ELOOP, ...
function fs.realpath(path, opts)
  local root = options.check(opts, ROOT, "realpath").root
  return finish(raw.realpath(path, root))
end

--- Copies a regular file with its permissions, complete or not at all: the
-- copy takes the place of `to` when the last byte is written. Errors name the
-- path that failed.
-- @string from
-- @string to
-- @tparam ?table opts `excl`: fail with EEXIST when `to` exists; `root` as
-- stat's, of both paths: a symbolic link at `to` is ELOOP then
-- @treturn[1] int bytes
-- @treturn[2] nil
-- @treturn[2] string "path: ..."
-- @treturn[2] string CODE: ENOENT, EISDIR, EINVAL (no regular file), ENOSPC,
-- ...
function fs.copyfile(from, to, opts)
  opts = options.check(opts, { excl = "boolean", root = "string" }, "copyfile")
  return finish(raw.copyfile(from, to, opts.root, opts.excl))
end

--- Makes a new file that nobody else can open (0600), under a name that nobody
-- can guess. Removing it is the script's affair.
-- @tparam ?table opts `dir` ($TMPDIR or "/tmp"), `prefix` of its name
-- ("quoll-"; no "/"), `unlinked`: it has no name, and is gone when it is closed
-- @treturn[1] File open "w+", owned by the running task
-- @treturn[1] string its path; nil without a name
-- @treturn[2] nil
-- @treturn[2] string "dir: no such file or directory", ...
-- @treturn[2] string CODE: ENOENT, EACCES, ENOSPC, EMFILE, ...
function fs.tempfile(opts)
  opts = options.check(opts, { dir = "string", prefix = "string",
    unlinked = "boolean" }, "tempfile")
  return finish(raw.tempfile(opts.dir or os.getenv "TMPDIR" or "/tmp",
    opts.prefix or "quoll-", opts.unlinked))
end

return fs
