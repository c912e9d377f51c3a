--- The HTTP server.
--
-- Source: bindings/http/
-- @module quoll.http.server

local core = require "quoll.core"
local listener = require "quoll.net.listener"
local options = require "quoll.options"
local deadline = require("quoll.task.scope").deadline
local finish = require("quoll.wait").finish
local callable = require "quoll.callable"
local http2 = require "quoll.http.http2"
local raw = require "quoll.http.core"
local refused = require("quoll.http.refused").new
local respond = require("quoll.http.respond").respond
local describe = require("quoll.http.failure").describe
local request = require("quoll.http.message").request

local mark, take = core.mark, core.take
local step, answer, reply = raw.step, raw.answer, raw.reply
local now = core.now

local server = {}

local HTTP2 = "EPROTONOSUPPORT" -- step's CODE of who begins to speak it

-- Options of ours, which quoll.serve does not know.
local OPTIONS = {
  line = "number", head = "number", fields = "number", body = "number",
  body_max = "number", head_timeout = "number", body_timeout = "number",
  send_timeout = "number", idle_timeout = "number", requests = "number",
  timeout = "number", min_rate = "number", half_open = "boolean",
  server = "string", log = true, onerror = "function", http2 = "boolean",
}

-- A connection's requests, one after the other. While the next is waited for
-- nothing here holds the last one, nor what answered it: their locals end
-- before. And so few slots are in use, in one function, that a small handler
-- needs no larger stack, which the idle connection would keep.
local function serving(config, handler, settings)
  local unasked = settings.options.unasked
  return function(conn)
    conn:own()
    raw.attach(conn, config)
    while true do
      local serial, kind, head, path, query = step(conn)
      if serial == mark then
        serial, kind, head, path, query = take(kind)
      end
      if not serial then
        return kind and head == HTTP2 and http2.take(conn, handler, settings)
      end
      repeat
        serial, kind, head, path, query = answer(conn,
          xpcall(handler, describe,
            unasked or request(conn, serial, kind, head, path, query)))
        if serial == mark then
          serial, kind, head, path, query = take(kind, head)
        elseif serial == false
          and not respond(conn, settings, nil, nil, kind, head, path, query)
        then
          return
        end
        if serial == nil and kind then
          return -- nil, err, CODE: the connection has ended
        end
      until not serial
    end
  end
end

local function note(conn, settings, req, began, ...)
  local status, bytes = reply(conn, ...)
  if not status then
    return respond(conn, settings, req, began, ...)
  end
  settings.log:record(req, status, bytes, now() - began)
  return true
end

-- What has been answered has no connection any more to ask who was there.
local function turn(conn, handler, settings, peer, ...)
  local req = request(conn, ...)
  req.peer = peer
  return note(conn, settings, req, now(), xpcall(handler, describe, req))
end

-- One that was answered without the handler, if there is one.
local function note_refused(conn, settings, peer)
  local status, bytes, line = raw.refused(conn)
  if status then
    settings.log:record(refused(peer, line), status, bytes, 0)
  end
end

-- The same, each noted in the log.
local function logging(config, handler, settings)
  return function(conn)
    conn:own()
    raw.attach(conn, config)
    local peer = conn:getpeername()
    while true do
      local serial, kind, head, path, query = finish(step(conn))
      if not serial then
        note_refused(conn, settings, peer)
      end
      if not serial or not turn(conn, handler, settings, peer, serial, kind,
        head, path, query)
      then
        return head == HTTP2 and http2.take(conn, handler, settings)
      end
    end
  end
end

-- nil, "timeout", "DEADLINE": cut.
local function timed(...)
  local first, _, code = ...
  if first == nil and code == "DEADLINE" then
    return 503, "Service Unavailable\n"
  end
  return ...
end

local function limited(handler, timeout)
  return function(req)
    req.deadline = now() + timeout
    return timed(deadline(timeout, handler, req))
  end
end

-- Can it see a request at all?
local function takes_request(handler)
  local info = type(handler) == "function" and debug.getinfo(handler, "u")
  return not info or info.nparams > 0 or info.isvararg
end

-- What raw.config does not look at.
local function check(ours)
  local log, timeout = ours.log, ours.timeout
  if log and (type(log) ~= "table" or type(log.record) ~= "function") then
    core.bad_argument(log, "log", "serve", "an access log")
  elseif timeout and (timeout <= 0 or timeout ~= timeout) then
    core.bad_argument(timeout, "timeout", "serve", "seconds, more than 0,")
  end
  return ours
end

local function split(opts)
  local ours, theirs = {}, {}
  for name, value in pairs(opts) do
    if OPTIONS[name] then
      ours[name] = value
    else
      theirs[name] = value
    end
  end
  return check(options.check(ours, OPTIONS, "serve")), theirs
end

--- Serves HTTP: calls handler(req) for each request, in the task of its
-- connection, and answers with what it returns. See docs/API.md for both.
-- Raises when it cannot listen; waits as `quoll.serve` does.
-- @tparam string|Listener where an address or a listener
-- @tparam function|table handler a function, or what can be called as one
-- @tparam ?table opts limits and times, and the options of `quoll.serve`
function server.serve(where, handler, opts)
  if not callable(handler) then
    core.bad_argument(handler, "handler", "serve", "a function")
  elseif opts ~= nil and type(opts) ~= "table" then
    core.bad_argument(opts, "options", "serve", "a table")
  end
  local ours, theirs = split(opts or {})
  local settings = { onerror = ours.onerror, log = ours.log, options = ours }
  local loop = ours.log and logging or serving
  ours.http2 = http2.wanted(ours.http2)
  if ours.timeout then
    handler = limited(handler, ours.timeout)
  end
  ours.unasked = loop == serving and not takes_request(handler)
  local fn = loop(raw.config(ours), handler, settings)
  if ours.http2 and theirs.tls then
    theirs.tls = http2.offer(theirs.tls)
    fn = http2.chosen(fn, handler, settings)
  end
  return listener.serve(where, fn, theirs)
end

--- Counts of the HTTP messages of this process.
-- @treturn table requests, responses (a client's), refused (answered 4xx or 5xx
-- by quoll itself), timeouts, left (handlers whose client has left)
function server.stats()
  return raw.stats()
end

return server
