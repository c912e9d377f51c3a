--- What a watch makes of the kernel's events.
-- @module quoll.watch.events

local bit = require "bit"
local IN = require("quoll.watch.source").IN
local tree = require "quoll.watch.tree"

local band, bor = bit.band, bit.bor
local path_of, join, detach = tree.path_of, tree.join, tree.detach

local KINDS = bor(IN.MODIFY, IN.ATTRIB, IN.CLOSE_WRITE, IN.MOVED_FROM,
  IN.MOVED_TO, IN.CREATE, IN.DELETE)
local ENDS = bor(IN.DELETE_SELF, IN.MOVE_SELF, IN.UNMOUNT)

local TYPES = {
  [IN.MODIFY] = "modify",
  [IN.ATTRIB] = "attrib",
  [IN.CLOSE_WRITE] = "close_write",
  [IN.CREATE] = "create",
  [IN.DELETE] = "delete",
}

local events = {}

local function is_folder(e)
  return band(e.mask, IN.ISDIR) ~= 0
end

local function tell_of(self, kind, node, e)
  self:tell(kind, join(path_of(node), e.name), is_folder(e))
end

-- What the tree looks like now is looked up, and only then the overflow told:
-- whatever the reader's own look at it misses comes as an event.
local function overflow(self)
  self:overflow()
  if self.recursive then
    self.root.rescan = true
    self:plan_scan(self.root)
  end
end

local function of_root(self, e)
  if band(e.mask, ENDS) ~= 0 then
    return self:gone()
  end
  local root = self.root
  self:tell(TYPES[band(e.mask, KINDS)], root.path, root.directory)
  if band(e.mask, IN.ATTRIB) ~= 0 and not root.directory then
    self:plan_check()
  end
end

local function appeared(self, kind, node, e)
  tell_of(self, kind, node, e)
  if self.recursive and is_folder(e) then
    self:enter(node, e.name, true)
  end
end

local on = {}

on[IN.CREATE] = function(self, node, e)
  if node.seen and node.seen[e.name] then
    node.seen[e.name] = nil
  else
    appeared(self, "create", node, e)
  end
end

on[IN.MOVED_TO] = function(self, node, e)
  self:forget(node.children[e.name])
  appeared(self, "move_to", node, e)
end

on[IN.DELETE] = function(self, node, e)
  tell_of(self, "delete", node, e)
  detach(node.children[e.name])
end

-- A scan may have been there before, and may have given the watch to the node
-- of the new name.
local function relink(self, child, to, name)
  local there = to.children[name]
  detach(child)
  if there and there.wd and child and not child.wd then
    return
  end
  self:forget(there)
  if child then
    child.name, child.parent, child.displaced = name, to, nil
    to.children[name] = child
  end
  if not child or not child.wd then
    self:enter(to, name, true)
  end
end

-- Its new folder's watch may be gone by now: then it went somewhere else.
on[IN.MOVED_FROM] = function(self, node, e)
  local to = e.to and self.nodes[e.to.wd]
  local path = to and path_of(to)
  local child = node.children[e.name]
  if not path then
    tell_of(self, "move_from", node, e)
    return self:forget(child)
  end
  self:tell("rename", join(path, e.to.name), is_folder(e),
    { from = join(path_of(node), e.name) })
  if child or self.recursive and is_folder(e) then
    relink(self, child, to, e.to.name)
  end
end

local function other(self, node, e)
  tell_of(self, TYPES[band(e.mask, KINDS)], node, e)
end

-- A name that is not listed any more is new when it comes again.
local UNSEEN = bor(IN.DELETE, IN.MOVED_FROM)

--- What follows from an event of quoll.watch.source. Never waits.
-- @tparam table self of quoll.watch.tree
-- @tparam table e the event
function events.process(self, e)
  if band(e.mask, IN.Q_OVERFLOW) ~= 0 then
    return overflow(self)
  end
  local node = self.nodes[e.wd]
  if not node then
    return
  elseif band(e.mask, IN.IGNORED) ~= 0 then
    self.nodes[e.wd], node.wd = nil, nil
    return node == self.root and self:gone()
  elseif e.name == "" then
    return node == self.root and of_root(self, e)
  elseif path_of(node) then
    if node.seen and band(e.mask, UNSEEN) ~= 0 then
      node.seen[e.name] = nil
    end
    local handle = on[band(e.mask, KINDS)] or other
    handle(self, node, e)
  end
end

return events
