--- What a watch's tree has planned and what has to wait: adding and removing
-- watches, listing folders. One step at a time; a step that is cut short by a
-- cancellation is made again.
-- @module quoll.watch.steps

local bor = require("bit").bor
local core = require "quoll.core"
local finish = require("quoll.wait").finish
local next_entry = require("quoll.fs.directory").next
local IN = require("quoll.watch.source").IN
local path_of = require("quoll.watch.tree").path_of

local raw = core.watch

local ENDS = bor(IN.DELETE_SELF, IN.MOVE_SELF)
local FOLDER = bor(IN.ONLYDIR, IN.EXCL_UNLINK)
local STRUCTURE = bor(IN.CREATE, IN.DELETE, IN.MOVED_FROM, IN.MOVED_TO)

-- Nothing is there any more; an event says so, or has said so.
local GONE = { ENOENT = true, ENOTDIR = true, ELOOP = true }

local Steps = {}
Steps.__index = Steps
local steps = {}

--- @param handle of core.watch.open
-- @tparam table tree of quoll.watch.tree
-- @number mask what the kernel is asked for
-- @tparam ?function readdir iterates over a folder: its watch is recursive
function steps.new(handle, tree, mask, readdir)
  return setmetatable({
    handle = handle,
    tree = tree,
    mask = bor(mask, readdir and STRUCTURE or 0),
    root_mask = nil, -- what the root was added with
    readdir = readdir,
  }, Steps)
end

--- Makes one step.
-- @treturn ?boolean true: made; nil: there is none
-- @return false, err, CODE, node when it failed
function Steps:work()
  local step = self.tree:step()
  if not step then
    self.tree:tell_overflow()
    return nil
  end
  local ok, err, code = self[step.name](self, step)
  self.tree:done()
  if not ok then
    return false, err, code, step.node
  end
  return true
end

-- It may have ended by itself; or a scan has met its folder under another name.
function Steps:remove(step)
  if not self.tree.nodes[step.wd] then
    finish(raw.remove(self.handle, step.wd))
  end
  return true
end

-- A file that lost a name may be the one that was watched, or may go on under
-- it: the watch of the path tells.
function Steps:check()
  local tree, root = self.tree, self.tree.root
  local wd, _, code = finish(raw.add(self.handle, root.path, self.root_mask))
  local replaced = wd and wd ~= root.wd
  if replaced then
    tree:unwatch(wd)
  end
  if replaced or GONE[code] then
    tree:gone()
  end
  return true
end

-- As a folder, or it is a file.
function Steps:add_root(root)
  root.directory, self.root_mask = true, bor(self.mask, ENDS, FOLDER)
  local wd, err, code = finish(raw.add(self.handle, root.path, self.root_mask))
  if code == "ENOTDIR" then
    root.directory, self.root_mask = false, bor(self.mask, ENDS, IN.ATTRIB)
    return finish(raw.add(self.handle, root.path, self.root_mask))
  end
  return wd, err, code
end

function Steps:add(node, path)
  if node == self.tree.root then
    return self:add_root(node)
  end
  return finish(raw.add(self.handle, path,
    bor(self.mask, FOLDER, IN.DONT_FOLLOW)))
end

-- The watch first, then the folder's entries: nothing falls in between.
function Steps:scan(step)
  local node, tree = step.node, self.tree
  local path = path_of(node)
  local ok, err, code = true, nil, nil
  if path then
    ok, err, code = self:add(node, path)
    if ok then
      tree:register(node, ok)
      if self.readdir and node.directory ~= false then
        ok, err, code = self:list(node, path)
      end
    end
  end
  node.planned, node.report, node.rescan = false, nil, nil
  return ok or GONE[code] and node ~= tree.root, err, code
end

-- Of a failure that names its path.
local function reason(path, err)
  return err:sub(1, #path + 2) == path .. ": " and err:sub(#path + 3) or err
end

-- A folder's entries: subfolders are entered.
function Steps:list(node, path)
  local tree, folders = self.tree, {}
  local entries, err, code = self.readdir(path)
  if not entries then
    return nil, reason(path, err), code
  end
  local name, kind
  name, kind, code = next_entry(entries)
  while name do
    local directory = kind == "directory"
    if node.report then
      tree:found(node, name, directory)
    end
    if directory then
      folders[name] = true
      tree:enter(node, name, node.report).rescan = node.rescan
    end
    name, kind, code = next_entry(entries)
  end
  if code then
    return nil, reason(path, kind), code
  end
  for known, child in pairs(node.rescan and node.children or {}) do
    if not folders[known] then
      tree:forget(child)
    end
  end
  return true
end

return steps
