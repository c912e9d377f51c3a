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

local Router = {}
local meta = { __index = Router, __name = "router" }
local router = { methods = Router }

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
    self.texts[method] = self.texts[method] or {}
    self.texts[method][text] = handler
  end
end

-- What the search has found as a table, the params of an outer router with
-- them; nil: a bad "%".
local function params_of(req, search, names)
  local params = {}
  for name, value in pairs(req.params) do
    params[name] = value
  end
  for i, name in ipairs(names) do
    params[name] = decode(search[i])
    if not params[name] then
      return nil
    end
  end
  return params
end

local function leave(req, path, base, params, ...)
  req.path, req.base, req.params = path, base, params
  return ...
end

-- The handler sees the path behind the mount.
local function enter(req, route, path, at)
  local base, params = req.base, req.params
  local rest = path:sub(at)
  req.path = rest == "" and "/" or rest
  req.base = (base or "") .. path:sub(1, at - 1)
  return leave(req, path, base, params, route.handler(req))
end

local function search(self, req, path)
  local found = tree.find(self.tree, req.method, path)
  local route = found.route
  if not route then
    return missing.answer(self.tree, self.missing, req, path, found.others)
  end
  if route.names[1] then
    local outer = req.params
    req.params = params_of(req, found, route.names)
    if not req.params then
      req.params = outer
      return answer.fail(400)
    end
  end
  if route.mounted then
    return enter(req, route, path, found.at)
  end
  return route.handler(req)
end

-- A path that is a pattern as it stands has no params to look for.
local function dispatch(self, req)
  local path = req.path
  local texts = self.texts[req.method]
  local handler = texts and texts[path]
  if handler then
    return handler(req)
  end
  return search(self, req, path)
end

local function rebuild(self)
  self.run = chain.wrap("use", self.layers, function(req)
    return dispatch(self, req)
  end)
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
  rebuild(self)
  return self
end

--- Registers a handler. A route that is there already is an error that names
-- both places.
-- @string method "GET", ...: as the client sends it; "*": any without a
-- handler of its own
-- @string text the pattern
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

for _, name in ipairs { "get", "head", "post", "put", "patch", "delete",
  "options" } do
  local method = name:upper()
  Router[name] = function(self, text, ...)
    add_route(self, name, method, text, ...)
    return self
  end
end

--- Registers a handler for every method that has none of its own.
-- @string text the pattern
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
  rebuild(self)
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
