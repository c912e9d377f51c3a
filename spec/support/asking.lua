-- asking.lua: a server in this process, and raw requests to it.
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"

local asking = {}

local function read_head(conn)
    local text = assert(conn:receiveuntil "\r\n\r\n" ())
    local status, rest = text:match "^HTTP/1%.1 (%d+)[^\r]*\r?\n?(.*)$"
    local headers = {}
    for name, value in (rest .. "\r\n"):gmatch "([^:\r\n]+): *([^\r\n]*)\r\n" do
        headers[name:lower()] = value
    end
    return { status = tonumber(status), headers = headers }
end

-- One chunk of a body; nil: that was the last one.
function asking.chunk(conn)
    local n = tonumber(assert(conn:receive "*l"), 16)
    local data = n > 0 and assert(conn:receive(n)) or nil
    assert(conn:receive "*l")
    return data
end

local function read_body(conn, res, method)
    if method == "HEAD" or res.status == 204 or res.status == 304 then
        return ""
    elseif res.headers["transfer-encoding"] == "chunked" then
        local got = {}
        for data in asking.chunk, conn do
            got[#got + 1] = data
        end
        return table.concat(got)
    end
    local n = tonumber(res.headers["content-length"])
    return n == 0 and "" or assert(conn:receive(n))
end

-- Sends "METHOD target", headers and a body; reads the head of the answer.
function asking.begin(conn, line, headers, body)
    local out = { line, " HTTP/1.1\r\nHost: a.example\r\n" }
    for name, value in pairs(headers or {}) do
        out[#out + 1] = name .. ": " .. value .. "\r\n"
    end
    if body then
        out[#out + 1] = "Content-Length: " .. #body .. "\r\n"
    end
    assert(conn:send { out, "\r\n", body or "" })
    return read_head(conn)
end

function asking.ask(conn, line, headers, body)
    local res = asking.begin(conn, line, headers, body)
    res.body = read_body(conn, res, line:match "^%S+")
    return res
end

-- A body for `it`: fn(connect, server) in a task, beside a server; connect()
-- gives a connection to it.
function asking.with(handler, fn, opts)
    return function()
        tasks.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local server = quoll.spawn(quoll.http.serve, listener, handler,
                opts)
            fn(function()
                local conn = assert(quoll.connect(listener:address(),
                    { timeout = pair.PATIENCE }))
                conn:settimeout(pair.PATIENCE)
                return conn
            end, server)
            server:cancel()
        end, 10)
    end
end

return asking
