--- HTTP: what its parts have for scripts. A part is loaded on first use.
-- @module quoll.http

-- Name -> module under quoll.http that has it.
local parts = {
  accesslog = "middleware.accesslog",
  basic_auth = "middleware.basic",
  chain = "middleware.chain",
  cookie = "cookies",
  cors = "middleware.cors",
  events = "events",
  fail = "answer",
  gzip = "middleware.gzip",
  html = "answer",
  jar = "client.jar",
  json = "answer",
  normal = "answer",
  parse_query = "query",
  part = "part",
  raise = "failure",
  redirect = "answer",
  router = "router",
  serve = "server",
  static = "static",
  stats = "server",
  template = "template",
  templates = "template",
  text = "answer",
  websocket = "websocket.client",
}

return setmetatable({}, {
  parts = parts,
  __index = function(self, name)
    local part = parts[name]
    self[name] = part and require("quoll.http." .. part)[name]
    return rawget(self, name)
  end,
})
