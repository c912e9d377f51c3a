--- From a request to its answer.
-- @module quoll.http.http2.exchange

local core = require "quoll.core"
local defer = require("quoll.task.defer").defer
local failure = require "quoll.http.failure"
local raw = require "quoll.http.http2.core"
local reason = require("quoll.http.core").reason
local request = require "quoll.http.http2.request"
local respond_with = require "quoll.http.respond"
local send = require("quoll.http.http2.respond").send

local results, tell = respond_with.results, respond_with.tell

local exchange = {}

local NO_ERROR, CANCEL = 0, 8 -- RFC 9113, section 7
local LINGER = 1 -- s
local LEFT = 499 -- nginx's status of a request whose client has left

local function refuse(stream, status, text)
  return send(stream, status, text or reason(status) .. "\n")
end

-- Too late for an answer once a head is out.
local function fail(stream, settings, err, traceback)
  local req = stream.req
  tell(settings, stream.connection.conn,
    ("%s %.70s HTTP/2"):format(req.method, req.target), err, traceback)
  return not stream.begun and refuse(stream, 500)
end

local function respond(stream, settings, ok, ...)
  if not ok then
    local raised = ...
    if raised.cancelled then
      error(raised.err, 0)
    end
    local status, text = failure.status(raised.err)
    if status and not stream.begun then
      return refuse(stream, status, text)
    end
    return fail(stream, settings, raised.err, raised.traceback)
  end
  local status, body, headers = results(...)
  if not status then
    return fail(stream, settings, body)
  end
  local sent, why = send(stream, status, body, headers)
  if sent == nil then
    return fail(stream, settings, why)
  end
  return sent
end

local function handle(stream, handler, settings)
  local head = raw.head(stream.connection.session, stream.id)
  if not head then
    return refuse(stream, 431)
  end
  local req = request.new(stream, stream.number, head)
  stream.req = req
  stream.bodyless = req.method == "HEAD"
  stream.expects = req:header "expect" == "100-continue"
  if #req.target > (settings.limits.line or 8192) then
    return refuse(stream, 414)
  elseif req.method == "CONNECT" then
    return refuse(stream, 501)
  end
  return respond(stream, settings, xpcall(handler, failure.describe, req))
end

-- The client gets time to see an answer that came before its request was
-- complete; the rest of that is not wanted then (RFC 9113, section 8.1).
local function settle(stream, patience)
  while stream.begun and not stream.closed do
    if not stream:wait(stream.sent and LINGER or patience) then
      stream:reset(stream.sent and NO_ERROR or CANCEL)
      return
    end
  end
end

local function record(stream, log, began)
  if stream.req then
    log:record(stream.req, stream.status or LEFT, stream.bytes,
      core.now() - began)
  end
end

--- Runs the handler and answers, in the stream's task.
function exchange.run(stream, handler, settings)
  defer(stream.over, stream)
  if settings.log then
    defer(record, stream, settings.log, core.now())
  end
  handle(stream, handler, settings)
  stream.done = true
  settle(stream, settings.limits.send_timeout)
end

return exchange
