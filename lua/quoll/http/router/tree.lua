--- The tree of a router: a node for each segment of its patterns.
--
-- A node has `static` (segment -> node), `param` (a node) and leaves: `leaf`
-- (of paths that end here), `rest` (of "*name" behind it) and `mount` (of all
-- paths that go on from here). A leaf is method -> route; "*" is any method. A
-- node stands at one depth: a search visits each at most once.
-- @module quoll.http.router.tree

local decode = require("quoll.http.syntax.percent").decode

local find, sub = string.find, string.sub

local tree = {}

--- Makes an empty one.
-- @treturn table its root
function tree.new()
  return { static = {} }
end

--- The leaf of a pattern, made if need be.
-- @tparam table root
-- @tparam table segments of pattern.parse
-- @string[opt="leaf"] kind or "mount"
-- @treturn table method -> route
function tree.leaf(root, segments, kind)
  local node = root
  kind = kind or "leaf"
  for _, segment in ipairs(segments) do
    if segment.rest then
      kind = "rest"
    elseif segment.param then
      node.param = node.param or tree.new()
      node = node.param
    else
      node.static[segment.text] = node.static[segment.text] or tree.new()
      node = node.static[segment.text]
    end
  end
  node[kind] = node[kind] or {}
  return node[kind]
end

-- The segment at `at`, and where the next one begins: nil behind the last.
local function cut(path, at)
  local slash = find(path, "/", at, true)
  if slash then
    return sub(path, at, slash - 1), slash + 1
  end
  return sub(path, at), nil
end

local function static_child(node, segment)
  local child = node.static[segment]
  if not child and find(segment, "%", 1, true) then
    child = node.static[decode(segment)]
  end
  return child
end

local function pick(leaf, method)
  return leaf[method] or method == "HEAD" and leaf.GET or leaf["*"]
end

local walk

-- Texts first, then params, then the rest.
local function descend(node, method, path, at, values, count)
  local segment, after = cut(path, at)
  local child = static_child(node, segment)
  if child then
    local route, on = walk(child, method, path, after, values, count)
    if route then
      return route, on
    end
  end
  if node.param and segment ~= "" then
    values[count + 1] = segment
    local route, on = walk(node.param, method, path, after, values, count + 1)
    if route then
      return route, on
    end
  end
  if node.rest then
    values[count + 1] = sub(path, at)
    return pick(node.rest, method)
  end
end

function walk(node, method, path, at, values, count)
  local route, on
  if at then
    route, on = descend(node, method, path, at, values, count)
  elseif node.leaf then
    route = pick(node.leaf, method)
  end
  if not route and node.mount then
    route, on = pick(node.mount, method), at and at - 1 or #path + 1
  end
  return route, on
end

--- Looks a path up.
-- @tparam table root
-- @string method
-- @string path raw, begins with "/"
-- @tparam table values becomes the array of the values of params and rest, as
-- they are in the path
-- @treturn ?table route
-- @treturn ?number where the path goes on behind a mount
function tree.find(root, method, path, values)
  return walk(root, method, path, 2, values, 0)
end

local function gather(node, path, at, leaves)
  leaves[#leaves + 1] = node.mount
  if not at then
    leaves[#leaves + 1] = node.leaf
    return
  end
  leaves[#leaves + 1] = node.rest
  local segment, after = cut(path, at)
  local child = static_child(node, segment)
  if child then
    gather(child, path, after, leaves)
  end
  if node.param and segment ~= "" then
    gather(node.param, path, after, leaves)
  end
end

--- What a path leads to, whatever the method.
-- @tparam table root
-- @string path raw, begins with "/"
-- @treturn table array of leaves
function tree.leaves(root, path)
  local leaves = {}
  gather(root, path, 2, leaves)
  return leaves
end

local function gather_all(node, leaves)
  for _, kind in ipairs { "leaf", "rest", "mount" } do
    leaves[#leaves + 1] = node[kind]
  end
  for _, child in pairs(node.static) do
    gather_all(child, leaves)
  end
  if node.param then
    gather_all(node.param, leaves)
  end
end

--- What any path leads to.
-- @tparam table root
-- @treturn table array of leaves
function tree.all(root)
  local leaves = {}
  gather_all(root, leaves)
  return leaves
end

return tree
