--- What a router answers when it has no route.
-- @module quoll.http.router.missing

local answer = require "quoll.http.answer"
local tree = require "quoll.http.router.tree"

local missing = {}

local function allow(leaves)
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for _, leaf in ipairs(leaves) do
    for method in pairs(leaf) do
      add(method)
    end
  end
  if seen.GET then
    add "HEAD"
  end
  add "OPTIONS"
  table.sort(names)
  return table.concat(names, ", ")
end

-- The path with or without its last "/", where that one has a route. What
-- begins with "//" would send the client to another host.
local function twin(root, req, method, path)
  local other = path:sub(-1) == "/" and path:sub(1, -2) or path .. "/"
  local url = (req.base or "") .. other
  if other == "" or url:find "^/[/\\]" or url:find "[%z\1-\32\127]"
    or not tree.find(root, method, other, {})
  then
    return nil
  end
  return req.querystring == "" and url or url .. "?" .. req.querystring
end

-- Of the server as a whole (RFC 9110, 9.3.7).
local function options(router)
  return 204, nil, { allow = allow(tree.all(router.tree)) }
end

local function other_method(method, leaves)
  local names = allow(leaves)
  if method == "OPTIONS" then
    return 204, nil, { allow = names }
  end
  local status, body, headers = answer.fail(405)
  headers.allow = names
  return status, body, headers
end

--- The answer.
-- @tparam table router its `tree`, and `missing`: the script's handler
-- @param req
-- @string method
-- @string path
-- @return a handler's results
function missing.answer(router, req, method, path)
  if path:sub(1, 1) == "/" then
    local leaves = tree.leaves(router.tree, path)
    if leaves[1] then
      return other_method(method, leaves)
    end
    local url = twin(router.tree, req, method, path)
    if url then
      return answer.redirect(url, 308)
    end
  elseif path == "*" and method == "OPTIONS" then
    return options(router)
  end
  if router.missing then
    return router.missing(req)
  end
  return answer.fail(404)
end

return missing
