--- One request on one connection, up to the head of its answer.
-- @module quoll.http.client.exchange

local body = require "quoll.http.client.request.body"
local message = require "quoll.http.client.message"
local origin = require "quoll.http.client.origin"
local proxy = require "quoll.http.client.proxy"
local request = require "quoll.http.client.request"
local response = require "quoll.http.client.response"

local exchange = {}

local INTERIM = 16      -- answers 1xx before the one that counts
local EXPECT = 1        -- s until the body leaves without "100 Continue"
local WITH_HEAD = 65536 -- bytes of a body that leave together with the head

-- A server that has closed may have said why before.
local GONE = { CLOSED = true, EPIPE = true, ECONNRESET = true }

-- Whether there is an answer within s seconds, of which nothing is read; or the
-- end of the connection.
local function within(talk, s)
  talk.conn:settimeouts(nil, s)
  local _, _, _, code = talk.conn:peek(1)
  talk.conn:settimeouts(nil, nil)
  talk.gone = code ~= nil and code ~= "TIMEOUT"
  return code == nil
end

-- The next head that is no interim one; 101 is none. While the body waits,
-- "100 Continue" ends it too: nil alone.
local function final(talk)
  while talk.interim < INTERIM do
    local answer, err, code = message.receive(talk.conn, talk.request.method,
      talk.request.opts.limits)
    if not answer then
      return nil, err, code
    elseif answer.status >= 200 or answer.status == 101 then
      return answer
    end
    talk.interim = talk.interim + 1
    message.leave(talk.conn)
    if talk.waiting and answer.status == 100 then
      return nil
    end
  end
  return nil, "too many interim answers", "EBADMSG"
end

local function hear(talk)
  talk.waiting = true
  talk.answer, talk.err, talk.code = final(talk)
  talk.waiting = nil
end

-- Whether the server has refused the request, so that the rest of the body need
-- not be sent. One that answers before it has all of it may want it still.
local function answered(talk)
  while not talk.answer and not talk.err and within(talk, 0) do
    hear(talk)
  end
  if talk.answer then
    return talk.answer.status >= 400
  end
  return talk.err ~= nil or talk.gone
end

-- Whether the server wants the body, or says nothing of it for a while.
local function wanted(talk)
  local s = talk.request.opts.expect
  if within(talk, s == true and EXPECT or s) then
    hear(talk)
  end
  return not talk.answer and not talk.err and not talk.gone
end

local function send_body(talk)
  return body.send(talk.request.body, { conn = talk.conn,
    total = talk.request.length, chunked = request.chunked(talk.request),
    progress = talk.request.opts.progress,
    answered = function() return answered(talk) end })
end

-- true: all was sent; false: there is an answer before.
local function send(talk, head)
  local made, opts = talk.request.body, talk.request.opts
  local text = made and body.text(made) or nil
  if not made or text and #text <= WITH_HEAD and not opts.expect then
    local ok, err, _, code = talk.conn:send { head, text or "" }
    if ok and made and opts.progress then
      opts.progress(#text, #text)
    end
    return ok and true, err, code
  end
  local ok, err, _, code = talk.conn:send(head)
  if not ok then
    return nil, err, code
  elseif opts.expect and not wanted(talk) then
    return false
  end
  return send_body(talk)
end

local function receive(talk, sent, err, code)
  if talk.answer or talk.err then
    return talk.answer, talk.err, talk.code
  elseif sent == nil and not GONE[code] then
    return nil, err, code
  end
  local first, why, _, what = talk.conn:peek(1)
  local answer
  if first then
    answer, why, what = final(talk)
  else
    talk.silent = true
  end
  if answer then
    return answer
  end
  return nil, err or why, code or what
end

local function speak(talk, head)
  talk.conn:settimeout(nil) -- the caller has a deadline for all of it
  local sent, err, code = send(talk, head)
  local answer
  answer, err, code = receive(talk, sent, err, code)
  if answer then
    return response.new(talk.request, talk.conn, answer, sent == true)
  end
  return nil, err, code
end

-- What speak() returned, or raised: an answer, or no connection.
local function spoken(talk, ok, answer, err, code)
  if ok and answer then
    return answer
  end
  talk.conn:close()
  if talk.request.body then
    body.abandon(talk.request.body)
  end
  if not ok then
    error(answer, 0)
  end
  return nil, err, code, talk.silent and talk.reused and code ~= "TIMEOUT"
end

--- Sends a request and waits for the head of its answer.
-- @tparam table made of request.make
-- @tparam ?boolean fresh on a connection that nobody has used before
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
-- @treturn[2] boolean the connection was one of the pool, and had died before
-- the server could know of the request
function exchange.run(made, fresh)
  local via = not made.opts.unix and proxy.choose(made.opts.proxy, made.url)
    or nil
  local head = request.head(made, via)
  local conn, err, code = origin.connect(made, via, fresh)
  if not conn then
    return nil, err, code
  end
  local talk = { conn = conn, request = made, interim = 0,
    reused = (conn:getreusedtimes() or 0) > 0 }
  return spoken(talk, pcall(speak, talk, head))
end

return exchange
