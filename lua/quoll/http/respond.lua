--- Answers that take more than one send, and those to failed handlers.
-- @module quoll.http.respond

local core = require "quoll.core"
local defer = require "quoll.task.defer"
local failures = require "quoll.http.failure"
local finish = require("quoll.wait").finish
local pieces = require "quoll.http.pieces"
local pull = require "quoll.http.pull"
local raw = require "quoll.http.core"

local task_room, now = core.task_room, core.now
local describe, failure_status = failures.describe, failures.status

local respond = {}

local TAKEN = 101
local LEFT = 499 -- nginx's status of a request whose client has left

-- status, body, headers of what a handler has returned; nil, why: none.
function respond.results(first, second, third)
  if first == nil then
    return nil, second == nil and "the handler has returned nothing"
      or "the handler has returned nil, " .. tostring(second)
  elseif type(first) ~= "number" then
    if second ~= nil and type(first) ~= "string" then
      return nil, ("the handler has returned a %s and a %s behind it; a status"
        .. " comes first"):format(type(first), type(second))
    end
    return 200, first, nil
  elseif first % 1 ~= 0 or first < 200 or first > 599 then
    return nil, ("the handler has returned the status %s"):format(first)
  elseif third ~= nil and type(third) ~= "table" then
    return nil, ("the handler has returned headers that are a %s")
      :format(type(third))
  end
  return first, second, third
end

-- All of these: whether the connection is still of use, status, bytes.

local function answer_error(conn, status, text)
  local body = text or raw.reason(status) .. "\n"
  local follows = raw.head(conn, status, nil, #body, true)
  if follows then
    raw.put(conn, body)
  end
  return follows ~= nil, status, follows and #body or 0
end

-- true: it has been told; what it raises itself is logged.
local function told(onerror, where, ...)
  local ok, failure = xpcall(onerror, describe, ...)
  if not ok and failure.cancelled then
    error(failure.err, 0)
  elseif not ok then
    core.log_lines("error", "http: 'onerror' failed: ", where, ": ",
      failure.traceback)
  end
  return ok
end

--- Tells what is wrong with a handler: in the log, never to the client.
-- @tparam table server `onerror`
-- @tparam Connection conn
-- @tparam ?string line the request's
-- @param err
-- @string[opt] traceback
function respond.tell(server, conn, line, err, traceback)
  local ip, port = conn:getpeername()
  local where = (line or "a request that was taken") .. ", from "
    .. (ip and port and ip .. ":" .. port or ip or "who has left")
  traceback = traceback or tostring(err)
  if not server.onerror
    or not told(server.onerror, where, err, traceback, where)
  then
    core.log_lines("error", "http: a handler failed: ", where, ": ", traceback)
  end
end

local function fail(conn, server, err, traceback)
  respond.tell(server, conn, raw.line(conn), err, traceback)
  if raw.begun(conn) then
    return false, 500, 0
  end
  return answer_error(conn, 500)
end

local function answer_failed(conn, server, failure)
  local status, text = failure_status(failure.err)
  if status and not raw.begun(conn) then
    return answer_error(conn, status, text)
  end
  return fail(conn, server, failure.err, failure.traceback)
end

-- A body whose length is known.
local function answer_pieces(conn, server, kind, status, body, headers)
  local list, length, why = pieces.of(kind, body)
  if not list then
    return fail(conn, server, why)
  end
  local follows, bad = raw.head(conn, status, headers, length,
    length > 0 and kind ~= "file" and kind ~= "part")
  if follows == nil then
    return fail(conn, server, bad)
  elseif not follows then
    return true, status, 0
  end
  local sent = pieces.send(conn, list)
  return sent and true, status, sent and length or 0
end

local function answer(conn, server, first, ...)
  local status, body, headers = respond.results(first, ...)
  if not status then
    return fail(conn, server, body)
  end
  local kind = pieces.kind(body)
  if not kind then
    return fail(conn, server, "the handler has returned a body that is a "
      .. type(body))
  elseif kind ~= "pull" then
    return answer_pieces(conn, server, kind, status, body, headers)
  end
  local done, bytes = pull.send(conn, status, body, headers)
  if done == nil then
    return fail(conn, server, bytes)
  end
  return done, status, bytes
end

-- What the handler has started ends before the next request, as at the end of a
-- task.
local function settle(conn)
  if raw.touched(conn) then
    finish(task_room(1))
    defer.unwind(conn)
  end
end

--- Answers with what a handler has returned or raised.
-- @tparam Connection conn
-- @tparam table server `onerror`, `log`
-- @tparam ?Request req to be noted in the log, with the time since `began`
-- @tparam ?number began
-- @bool ok as xpcall gives it, with the results or a failure: `err`,
-- `traceback`, `cancelled`
-- @treturn boolean false: the connection ends
function respond.respond(conn, server, req, began, ok, ...)
  local done, status, bytes = false, LEFT, 0
  local taken = not raw.line(conn)
  local cancelled = not ok and (...).cancelled
  if not ok and not cancelled then
    done, status, bytes = answer_failed(conn, server, ...)
  elseif ok and not taken then
    done, status, bytes = answer(conn, server, ...)
  end
  if taken then
    status = TAKEN
  end
  if req then
    server.log:record(req, status, bytes, now() - began)
  end
  if cancelled then
    error((...).err, 0)
  elseif done then
    raw.finish(conn)
  end
  settle(conn)
  return done
end

return respond
