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
local function twin(root, req, path)
  local other = path:sub(-1) == "/" and path:sub(1, -2) or path .. "/"
  local url = (req.base or "") .. other
  if other == "" or url:find "^/[/\\]" or url:find "[%z\1-\32\127]"
    or not tree.find(root, req.method, other).route
  then
    return nil
  end
  return req.querystring == "" and url or url .. "?" .. req.querystring
end

--- The answer.
-- @tparam table root of the tree
-- @tparam ?function notfound the script's handler
-- @param req
-- @string path
-- @tparam ?table others leaves of the path without the request's method
-- @return a handler's results
function missing.answer(root, notfound, req, path, others)
  if others then
    local names = allow(others)
    if req.method == "OPTIONS" then
      return 204, nil, { allow = names }
    end
    local status, body, headers = answer.fail(405)
    headers.allow = names
    return status, body, headers
  end
  local url = path:sub(1, 1) == "/" and twin(root, req, path)
  if url then
    return answer.redirect(url, 308)
  elseif notfound then
    return notfound(req)
  end
  return answer.fail(404)
end

return missing
