--- Errors that are an answer: what is wrong is the request, not the handler.
-- The server answers with their status and text, and logs nothing.
-- @module quoll.http.failure

local core = require "quoll.core"

local failure = {}

local meta = { __name = "http failure" }

function meta:__tostring()
  return self.text or tostring(self.status)
end

--- Raises one.
-- @number status 400 to 599
-- @string[opt] text the answer's body, for the client to read
function failure.raise(status, text)
  if type(status) ~= "number" or status < 400 or status > 599
    or status % 1 ~= 0
  then
    error("bad argument 'status' to 'raise' (400 to 599 expected, got "
      .. tostring(status) .. ")", 2)
  end
  error(setmetatable({ status = status, text = text }, meta), 0)
end

local BODY = { EBADMSG = 400, EMSGSIZE = 413, TIMEOUT = 408 }

--- Raises what went wrong with a request's body: the client's fault, or its
-- leaving.
-- @string err
-- @string code
function failure.body(err, code)
  failure.raise(BODY[code] or 400, err)
end

--- What is told of a raised value: for xpcall.
-- @param err
-- @treturn table err, cancelled, traceback
function failure.describe(err)
  return { err = err, cancelled = core.iscancelled(err),
    traceback = core.traceback(err) }
end

--- What a raised value answers.
-- @param err
-- @treturn[1] number status
-- @treturn[1] ?string text
-- @treturn[2] nil it is another error
function failure.status(err)
  if getmetatable(err) == meta then
    return err.status, err.text
  end
end

return failure
