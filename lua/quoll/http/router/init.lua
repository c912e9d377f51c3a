--- Routers: handlers that choose a handler by method and path.
--
-- A pattern is a path whose segments are texts, ":name" (one segment, not
-- empty) or, as the last one, "*name" (the rest, which may be empty). A text
-- wins over ":name", that over "*name", and that over a mount, segment by
-- segment; the order of registration does not matter. Texts are compared with
-- the decoded path.
-- @module quoll.http.router

local answer = require "quoll.http.answer"
local chain = require "quoll.http.middleware.chain"
local core = require "quoll.core"
local decode = require("quoll.http.syntax.percent").decode
local missing = require "quoll.http.router.missing"
local pattern = require "quoll.http.router.pattern"
local tree = require "quoll.http.router.tree"

local raise = core.raise
local byte = string.byte

local SLASH = byte "/"

local Router = {}
local meta = { __index = Router, __name = "router" }
local router = { methods = Router }

-- Request -> the params of the mounts that it is within, where there are any.
local outer_params = setmetatable({}, { __mode = "k" })

local function place(level)
  local info = debug.getinfo(level, "Sl")
  return info and ("%s:%d"):format(info.short_src, info.currentline) or "?"
end

-- `level` is that of the script.
local function add(leaf, method, text, route, level)
  local taken = leaf[method]
  route.place = place(level)
  if taken then
    raise(("route '%s %s' at %s conflicts with '%s %s' at %s"):format(method,
      text, route.place, method, taken.pattern, taken.place))
  end
  route.pattern = text
  leaf[method] = route
end

local function add_route(self, name, method, text, ...)
  local segments, names = pattern.parse(text, name)
  local list = { ... }
  local handler = table.remove(list, select("#", ...))
  handler = chain.wrap(name, list, handler)
  add(tree.leaf(self.tree, segments), method, text,
    { handler = handler, names = names }, 5)
  if #names == 0 then
    self.texts[text] = self.texts[text] or {}
    self.texts[text][method] = handler
  end
end

-- What was found as a table, the params of mounts with them; nil: a bad "%".
local function params_of(req, values, names)
  local params = {}
  local outer = outer_params[req]
  if outer then
    for name, value in pairs(outer) do
      params[name] = value
    end
  end
  for i = 1, #names do
    local value = decode(values[i])
    if not value then
      return nil
    end
    params[names[i]] = value
  end
  return params
end

local function leave(req, path, base, outer, ...)
  req.path, req.base = path, base
  outer_params[req] = outer
  return ...
end

-- The handler sees the path behind the mount.
local function enter(req, route, path, at, params)
  local base, outer = req.base, outer_params[req]
  local rest = path:sub(at)
  req.path = rest == "" and "/" or rest
  req.base = (base or "") .. path:sub(1, at - 1)
  outer_params[req] = params or outer
  return leave(req, path, base, outer, route.handler(req))
end

local found = {} -- by one search, read before the next one begins

local function search(self, req, method, path)
  if byte(path) ~= SLASH then
    return missing.answer(self, req, method, path)
  end
  local route, at = tree.find(self.tree, method, path, found)
  if not route then
    return missing.answer(self, req, method, path)
  end
  local params
  if route.names[1] then
    params = params_of(req, found, route.names)
    if not params then
      return answer.fail(400)
    end
    req.params = params
  end
  if at then
    return enter(req, route, path, at, params)
  end
  return route.handler(req)
end

-- A path that is a pattern as it stands has no params to look for.
local function dispatcher(self)
  local texts = self.texts
  return function(req)
    local path, method = req.path, req.method
    local handlers = texts[path]
    local handler = handlers and handlers[method]
    if handler then
      return handler(req)
    end
    return search(self, req, method, path)
  end
end

function meta:__call(req)
  return self.run(req)
end

--- Makes a router: a handler, for `serve`, `chain` and `mount`.
-- HEAD is answered by GET's handler; OPTIONS by 204 with Allow, another method
-- that the path does not have by 405 with Allow, unless they have a handler. A
-- path that would have a route with a "/" more or less at its end is
-- redirected there (308). A bad "%" in a param is 400. Everything else is 404.
-- @treturn Router
function router.router()
  local self = setmetatable({ tree = tree.new(), texts = {}, layers = {} },
    meta)
  self.run = dispatcher(self)
  return self
end

--- Registers a handler. A route that is there already is an error that names
-- both places.
-- @function Router:route
-- @string method "GET", ...: as the client sends it; "*": any without a
-- handler of its own
-- @string pattern
-- @func ... middleware of this route, and behind it the handler, which finds
-- its params, decoded, in req.params
-- @treturn Router itself
function Router:route(method, text, ...)
  if type(method) ~= "string" or not (method == "*"
    or method:find "^[%w!#$%%&'*+%-.^_`|~]+$")
  then
    core.bad_argument(method, "method", "route", "a method's name")
  end
  add_route(self, "route", method, text, ...)
  return self
end

--- `route` for GET.
-- @function Router:get
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

--- `route` for HEAD.
-- @function Router:head
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

--- `route` for POST.
-- @function Router:post
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

--- `route` for PUT.
-- @function Router:put
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

--- `route` for PATCH.
-- @function Router:patch
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

--- `route` for DELETE.
-- @function Router:delete
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

--- `route` for OPTIONS.
-- @function Router:options
-- @string pattern
-- @func ... as route's
-- @treturn Router itself

for _, name in ipairs { "get", "head", "post", "put", "patch", "delete",
  "options" } do
  local method = name:upper()
  Router[name] = function(self, text, ...)
    add_route(self, name, method, text, ...)
    return self
  end
end

--- Registers a handler for every method that has none of its own.
-- @function Router:any
-- @string pattern
-- @func ... as route's
-- @treturn Router itself
function Router:any(text, ...)
  add_route(self, "any", "*", text, ...)
  return self
end

--- Hands everything at and below a path to a handler, which finds in req.path
-- what is behind it ("/" at least), and in req.base the path itself.
-- @string prefix a pattern without "*"; "/": everything
-- @func ... as route's
-- @treturn Router itself
function Router:mount(prefix, ...)
  local segments, names = pattern.parse(prefix, "mount")
  local last = segments[#segments]
  if last.rest then
    raise(("bad argument 'pattern' to 'mount' ('*' cannot stand here: %q)")
      :format(prefix))
  elseif last.text == "" then
    segments[#segments] = nil
  end
  local list = { ... }
  local handler = table.remove(list, select("#", ...))
  handler = chain.wrap("mount", list, handler)
  add(tree.leaf(self.tree, segments, "mount"), "*", prefix,
    { handler = handler, names = names, mounted = true }, 4)
  return self
end

--- Puts middleware around everything that the router answers, what it has no
-- route for too. The first is the outermost.
-- @func ... mw(next) -> handler
-- @treturn Router itself
function Router:use(...)
  for i = 1, select("#", ...) do
    self.layers[#self.layers + 1] = (select(i, ...))
  end
  self.run = chain.wrap("use", self.layers, dispatcher(self))
  return self
end

--- Answers what has no route.
-- @func handler
-- @treturn Router itself
function Router:notfound(handler)
  self.missing = chain.wrap("notfound", {}, handler)
  return self
end

return router
