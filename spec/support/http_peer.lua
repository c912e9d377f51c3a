-- http_peer.lua: a server whose answers a spec writes byte by byte, for specs
-- of the HTTP client.
local pair = require "spec.support.pair"
local quoll = require "quoll"

local http_peer = { PATIENCE = pair.PATIENCE }

-- "HTTP/1.1 200 OK" with these lines and this body.
function http_peer.answer(body, ...)
    local head = { "HTTP/1.1 200 OK", ... }
    head[#head + 1] = "Content-Length: " .. #body
    return table.concat(head, "\r\n") .. "\r\n\r\n" .. body
end

local function read_chunks(conn)
    local parts = {}
    while true do
        local n = tonumber(assert(conn:receive "*l"), 16)
        parts[#parts + 1] = conn:receive(n)
        conn:receive "*l"
        if n == 0 then
            return table.concat(parts, "|")
        end
    end
end

-- The next request: its head; nil at the end.
local function next_head(conn)
    return (conn:receiveuntil("\r\n\r\n", { inclusive = true })())
end

-- Its body, chunks with "|" in between.
function http_peer.body(conn, head)
    if head:find "\r\nTransfer%-Encoding: chunked\r\n" then
        return read_chunks(conn)
    end
    local n = tonumber(head:match "\r\nContent%-Length: (%d+)\r\n") or 0
    return assert(conn:receive(n))
end

-- Plays one answer: text; { text, ... }, then the end; fn(conn, head), which
-- has the request's body to read: false is the end.
local function play(conn, head, answer)
    if type(answer) == "function" then
        return answer(conn, head) ~= false
    end
    local body = http_peer.body(conn, head)
    conn:send(answer or "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    return type(answer) == "string", body
end

local function serving(answers, heard)
    local connections = 0
    return function(conn)
        connections = connections + 1
        local number = connections
        conn:settimeout(pair.PATIENCE)
        repeat
            local head = next_head(conn)
            local goes_on, body
            if head then
                local request = { head = head, conn = number }
                heard[#heard + 1] = request
                goes_on, body = play(conn, head, answers[#heard])
                request.body = body
            end
        until not goes_on
    end
end

-- fn(url, heard): answers are for the requests in their order, whatever
-- connections they come on; heard has what was asked: head, body, conn (number
-- of its connection). opts: those of serve.
function http_peer.serve(answers, fn, opts)
    local heard = {}
    local listener = assert(quoll.listen((opts or {}).address or "127.0.0.1:0"))
    local server = quoll.spawn(listener.serve, listener,
        serving(answers, heard), { tls = (opts or {}).tls })
    local scheme = (opts or {}).tls and "https://" or "http://"
    local ok, err = pcall(fn, scheme .. listener:address(), heard)
    listener:close()
    server:cancel()
    server:wait()
    if not ok then
        error(err, 0)
    end
end

-- A body for `it`.
function http_peer.with(answers, fn, opts)
    return function()
        quoll.run(function()
            http_peer.serve(answers, fn, opts)
        end)
    end
end

-- A proxy that opens a way to where it is asked to, whatever the name.
function http_peer.tunnel_to(address, seen)
    return function(conn)
        local there = assert(quoll.connect(address))
        if seen then
            seen.conn = conn
        end
        conn:send "HTTP/1.1 200 Yes\r\nContent-Length: 7\r\n\r\n"
        quoll.scope(function(s)
            s:background(function()
                for piece in there:chunks() do
                    conn:send(piece)
                end
            end)
            for piece in conn:chunks() do
                there:send(piece)
            end
        end)
        return false
    end
end

return http_peer
