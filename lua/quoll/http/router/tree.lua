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

-- Whether a leaf that the path leads to has a route; `at`: where the path goes
-- on behind a mount.
local function take(search, leaf, at)
  if not leaf then
    return false
  end
  local method = search.method
  local route = leaf[method] or method == "HEAD" and leaf.GET or leaf["*"]
  if route then
    search.route, search.at = route, at
    return true
  end
  search.others = search.others or {}
  table.insert(search.others, leaf)
  return false
end

local walk

local function descend(search, node, at, count)
  local path = search.path
  local slash = find(path, "/", at, true)
  local segment = sub(path, at, slash and slash - 1 or -1)
  local after = slash and slash + 1
  local child = node.static[segment]
  if not child and find(segment, "%", 1, true) then
    child = node.static[decode(segment)]
  end
  if child and walk(search, child, after, count) then
    return true
  elseif node.param and segment ~= "" then
    search[count + 1] = segment
    if walk(search, node.param, after, count + 1) then
      return true
    end
  end
  if node.rest then
    search[count + 1] = sub(path, at)
  end
  return take(search, node.rest)
end

-- `at`: where the path's next segment begins, nil behind its last one; `count`
-- of the values taken so far.
function walk(search, node, at, count)
  local found
  if at then
    found = descend(search, node, at, count)
  else
    found = take(search, node.leaf)
  end
  return found or take(search, node.mount, at and at - 1 or #search.path + 1)
end

--- Looks a path up.
-- @tparam table root
-- @string method
-- @string path raw, begins with "/"
-- @treturn table array of the values of params and rest, as they are in the
-- path, with `route` (nil: none), `at` (where the path goes on behind a mount)
-- and `others` (leaves of the path that do not have the method)
function tree.find(root, method, path)
  local search = { method = method, path = path }
  walk(search, root, 2, 0)
  return search
end

return tree
