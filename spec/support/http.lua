-- http.lua: a server, and connections to it that speak bytes.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local http = { PATIENCE = pair.PATIENCE }

-- Sends data, whole or not at all.
local function say(conn, data)
    assert(conn:send((data:gsub("\n", "\r\n"))))
end

-- An answer with a length, or without a body: { status=, head=, body= }.
local function hear(conn, bodyless)
    local head, err = conn:receiveuntil "\r\n\r\n"()
    assert(head, err)
    local answer = { head = head,
        status = tonumber(head:match "^HTTP/1%.1 (%d%d%d) ") }
    local n = head:lower():match "content%-length: (%d+)"
    answer.body = not bodyless and n and assert(conn:receive(tonumber(n)))
    return answer
end

-- Runs fn(connect, address) beside a server of handler; connect() -> a
-- connection with say(data), LF as CR LF, and hear([bodyless]).
function http.run(handler, opts, fn)
    quoll.run(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        local server = quoll.spawn(quoll.http.serve, listener, handler, opts)
        local function connect()
            local conn = assert(quoll.connect(listener:address(),
                { timeout = pair.PATIENCE }))
            conn:settimeout(pair.PATIENCE)
            return { conn = conn,
                say = function(_, data) say(conn, data) end,
                hear = function(_, bodyless) return hear(conn, bodyless) end,
                ended = function() return conn:receive "*a" end }
        end
        assert(quoll.deadline(helper.seconds(10), function()
            fn(connect, listener:address())
            return true
        end))
        listener:close()
        server:cancel()
        server:wait()
    end)
end

-- A body for `it`.
function http.with(handler, opts, fn)
    return function() http.run(handler, opts, fn) end
end

-- One request, alone on its connection: the answer.
function http.ask(connect, text)
    local c = connect()
    c:say(text)
    local answer = c:hear()
    c.conn:close()
    return answer
end

return http
