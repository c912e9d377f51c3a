--- HTTP: what its parts have for scripts. A part is loaded on first use.
-- @module quoll.http

-- Name -> module under quoll.http that has it.
local parts = {
  accesslog = "middleware.accesslog",
  basic_auth = "middleware.basic",
  chain = "middleware.chain",
  client = "client",
  cookie = "syntax.cookies",
  cors = "middleware.cors",
  delete = "client",
  events = "events",
  fail = "answer",
  get = "client",
  gzip = "middleware.gzip",
  head = "client",
  html = "answer",
  jar = "client.jar",
  json = "answer",
  normal = "answer",
  parse_query = "syntax.query",
  part = "part",
  patch = "client",
  post = "client",
  put = "client",
  raise = "failure",
  redirect = "answer",
  request = "client",
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
