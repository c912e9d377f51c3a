--- What a watch knows: the folders it has watches on, as a tree, so that a
-- renamed folder takes everything below it along.
-- Nothing in here waits: what has to is planned, for quoll.watch.steps.
-- @module quoll.watch.tree

local Tree = {}
Tree.__index = Tree
local tree = {}

--- @string path the thing watched
-- @tparam table wanted {type = false}: not to be told
-- @tparam ?boolean recursive
function tree.new(path, wanted, recursive)
  local self = setmetatable({
    -- name, parent: of all but the root; path: the root's; children: by name;
    -- wd; planned: a scan is; report: what the scan finds is new; rescan: and
    -- what it does not find has gone; seen: names told by a scan
    root = { path = path, children = {} },
    nodes = {}, -- wd -> node
    wanted = wanted,
    recursive = recursive,
    out = { first = 1, last = 0 }, -- events to hand out
    todo = { first = 1, last = 0 }, -- steps
    fresh = {}, -- node -> true: has `seen`
    overflowed = false, -- to be told when nothing is to do
    ended = false,
  }, Tree)
  self:plan_scan(self.root)
  return self
end

local function push(queue, value)
  queue.last = queue.last + 1
  queue[queue.last] = value
end

local function shift(queue)
  local value = queue[queue.first]
  if value ~= nil then
    queue[queue.first] = nil
    queue.first = queue.first + 1
  end
  return value
end

function tree.join(folder, name)
  return folder .. (folder:find "/$" and "" or "/") .. name
end

--- nil: it is not below the root any more.
local function path_of(node)
  if node.path then
    return node.path
  end
  local above = node.parent and path_of(node.parent)
  return above and tree.join(above, node.name)
end

-- ------------------------------------------------------------- telling ----

--- An event for the reader; more: further fields.
function Tree:tell(kind, path, directory, more)
  if self.wanted[kind] == false then
    return
  end
  local event = more or {}
  event.type, event.path, event.directory = kind, path, directory
  event.name = path:match "([^/]+)/*$" or path
  push(self.out, event)
end

--- What a scan lists is told, if the folder is new; the kernel's own word of
-- it may still come, up to the end of its queue.
function Tree:found(node, name, directory)
  node.seen = node.seen or {}
  self.fresh[node] = true
  if not node.seen[name] then
    node.seen[name] = true
    self:tell("create", tree.join(path_of(node), name), directory)
  end
end

--- The next event to hand out.
function Tree:take()
  return shift(self.out)
end

--- How many there are.
function Tree:told()
  return self.out.last - self.out.first + 1
end

--- A folder below cannot be watched.
function Tree:unwatched(node, err, code)
  local path = path_of(node)
  if node == self.root then
    self:gone()
  elseif path then
    self:tell("unwatched", path, true, { err = err, code = code })
  end
end

--- The last event.
function Tree:gone()
  if not self.ended then
    self.ended = true
    self:tell("gone", self.root.path, self.root.directory)
  end
end

--- The kernel's queue was empty: what it told twice is over.
function Tree:settle()
  for node in pairs(self.fresh) do
    node.seen = nil
  end
  self.fresh = {}
end

--- Events are lost; told once nothing is to do.
function Tree:overflow()
  self:settle()
  self.overflowed = true
end

function Tree:tell_overflow()
  if self.overflowed then
    self.overflowed = false
    self:tell("overflow", self.root.path, self.root.directory)
  end
end

-- --------------------------------------------------------------- nodes ----

--- The next step {name, node or wd}, which stays until done().
function Tree:step()
  return self.todo[self.todo.first]
end

function Tree:done()
  shift(self.todo)
end

function Tree:plan_scan(node)
  if not node.planned then
    node.planned = true
    push(self.todo, { name = "scan", node = node })
  end
end

function Tree:plan_check()
  push(self.todo, { name = "check" })
end

--- A folder was found at node/name. report: what is in it is new.
function Tree:enter(node, name, report)
  local child = node.children[name]
  if not child then
    child = { name = name, parent = node, children = {} }
    node.children[name] = child
  end
  child.report = report
  self:plan_scan(child)
  return child
end

--- Its own watch, if it is deleted, ends by itself.
function tree.detach(node)
  if node then
    node.parent.children[node.name] = nil
    node.parent = nil
  end
end

function Tree:unwatch(wd)
  self.nodes[wd] = nil
  push(self.todo, { name = "remove", wd = wd })
end

function Tree:unwatch_all(node)
  if node.wd then
    self:unwatch(node.wd)
    node.wd = nil
  end
  for _, child in pairs(node.children) do
    self:unwatch_all(child)
  end
end

--- It lives on somewhere else.
function Tree:forget(node)
  if node then
    tree.detach(node)
    self:unwatch_all(node)
  end
end

--- A folder has one watch, however many names lead to it. Another one that
-- had this is looked for again, once: it may have been moved.
function Tree:register(node, wd)
  local other = self.nodes[wd]
  if other and other ~= node then
    other.wd = nil
    if not other.displaced then
      other.displaced = true
      other.report = nil
      self:plan_scan(other)
    end
  end
  if node.wd and node.wd ~= wd then
    self:unwatch(node.wd)
  end
  node.wd = wd
  self.nodes[wd] = node
end

tree.path_of = path_of

return tree
