-- websocket.lua: WebSockets whose other end is a plain connection, and the
-- frames that it sends and reads.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local websocket = require "quoll.http.websocket"

local ffi = helper.ffi
local lib = ffi.load(helper.build .. "/lib/libquoll-frame.so")

local sockets = { PATIENCE = pair.PATIENCE, FIN = 0x80, RSV1 = 0x40 }
sockets.MASK = "\x37\xfa\x21\x3d"

function sockets.mask(payload, mask)
    local to = ffi.new("uint8_t[?]", #payload + 1)
    lib.ql_frame_mask(to, ffi.cast("const uint8_t *", payload), #payload,
        ffi.cast("const uint8_t *", mask))
    return ffi.string(to, #payload)
end

-- As a server sends it; of a client: masked.
function sockets.frame(first, payload, mask)
    local to = ffi.new("uint8_t[14]")
    payload = payload or ""
    local n = lib.ql_frame_head(to, first, #payload,
        mask and ffi.cast("const uint8_t *", mask))
    return ffi.string(to, n)
        .. (mask and sockets.mask(payload, mask) or payload)
end

-- As a client sends it.
function sockets.masked(first, payload)
    return sockets.frame(first, payload, sockets.MASK)
end

function sockets.close_frame(code, reason)
    return string.char(math.floor(code / 256), code % 256) .. (reason or "")
end

-- The next frame that came on conn: first byte, payload; or nil, err.
function sockets.read(conn)
    local start, err = conn:receive(2)
    if not start then
        return nil, err
    end
    local first, size = start:byte(1, 2)
    local masked = size >= 0x80
    size = size % 0x80
    if size > 125 then
        local digits = assert(conn:receive(size == 126 and 2 or 8))
        size = 0
        for i = 1, #digits do
            size = size * 256 + digits:byte(i)
        end
    end
    local mask = masked and assert(conn:receive(4))
    local payload = assert(conn:receive(size))
    return first, mask and sockets.mask(payload, mask) or payload
end

-- Every frame up to the end of the stream: { { first, payload }, ... }.
function sockets.read_all(conn)
    local found = {}
    while true do
        local first, payload = sockets.read(conn)
        if not first then
            return found
        end
        found[#found + 1] = { first, payload }
    end
end

-- A websocket and the plain connection at its other end.
function sockets.open(settings, address)
    local conn, theirs = pair.connect(address)
    local all = { max = 1000, send_timeout = pair.PATIENCE }
    for name, value in pairs(settings or {}) do
        all[name] = value
    end
    return assert(websocket.open(theirs, all)), conn
end

-- A body for `it`: fn(ws, conn) runs as a task.
function sockets.with(fn, settings, address)
    return function()
        quoll.run(function()
            local ws, conn = sockets.open(settings, address)
            fn(ws, conn)
        end)
    end
end

-- A body for `it`: fn(client, server), websockets both.
function sockets.both(fn, settings)
    return function()
        quoll.run(function()
            local client, server = pair.connect()
            local of_client, of_server = { client = true }, {}
            for name, value in pairs(settings or {}) do
                of_client[name], of_server[name] = value, value
            end
            for _, of in ipairs { of_client, of_server } do
                of.max = of.max or 2 ^ 20
                of.send_timeout = of.send_timeout or pair.PATIENCE
            end
            fn(assert(websocket.open(client, of_client)),
                assert(websocket.open(server, of_server)))
        end)
    end
end

-- What a server's handler has of a request: the head read from conn.
function sockets.request(conn)
    local req = { headers = {} }
    local line = assert(conn:receive())
    req.method, req.target, req.version =
        line:match "^(%S+) (%S+) HTTP/(%d%.%d)$"
    for field in function() return conn:receive() end do
        if field == "" then
            break
        end
        local name, value = field:match "^([^:]+): ?(.*)$"
        req.headers[name:lower()] = value
    end
    function req.header(_, name)
        return req.headers[name]
    end
    function req.hijack()
        return conn
    end
    return req
end

-- Serves one connection at a time with handler(req); the address.
function sockets.serve(handler)
    local listener = assert(quoll.listen "127.0.0.1:0")
    local task = quoll.spawn(function()
        listener:serve(function(conn)
            conn:settimeout(pair.PATIENCE)
            handler(sockets.request(conn), conn)
        end)
    end)
    return listener:address(), function()
        listener:close()
        task:wait()
    end
end

-- Sends back whatever comes; what ended it.
function sockets.echo(ws)
    while true do
        local message, kind, code, reason = ws:receive()
        if not message then
            return kind, code, reason
        end
        local ok, err = ws:send(message, kind)
        if not ok then
            return err
        end
    end
end

return sockets
