-- WebSockets of quoll.http.serve.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.websocket"

local http = quoll.http

-- A body for `it`: fn(address) while handler serves there.
local function served(handler, fn)
    return function()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local task = quoll.spawn(http.serve, listener, handler)
            quoll.deadline(helper.seconds(10), fn, listener:address())
            listener:close()
            task:cancel()
            task:wait()
        end)
    end
end

local function echo(req)
    local ws, status, text, headers = req:websocket()
    if not ws then
        return status, text, headers
    end
    sockets.echo(ws)
end

local function open(address, opts)
    opts = opts or {}
    opts.timeout = pair.PATIENCE
    return http.websocket("ws://" .. address .. "/chat", opts)
end

local HANDSHAKE = table.concat({ "GET / HTTP/1.1", "Host: a",
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "\r\n" }, "\r\n")

describe("lua/http/websocket/server, in a handler", function()
    helper.gates()

    it("echoes, compressed and not", served(echo, function(address)
        for _, compress in ipairs { false, true } do
            local ws = assert(open(address, { compress = compress }))
            for _, data in ipairs { "", "x", ("long "):rep(1000) } do
                assert.is_true(ws:send(data))
                assert.equal(data, (ws:receive(pair.PATIENCE)))
            end
            assert.is_true(ws:close())
        end
    end))

    it("reads what came with the request", served(echo, function(address)
        local conn = assert(quoll.connect(address))
        conn:settimeout(pair.PATIENCE)
        conn:send(HANDSHAKE .. sockets.masked(0x81, "early"))
        assert.truthy(conn:receiveuntil("\r\n\r\n")():find "^HTTP/1.1 101 ")
        assert.same({ 0x81, "early" }, { sockets.read(conn) })
    end))

    it("comes after other requests of the connection", served(function(req)
        return req.path == "/x" and "plain" or echo(req)
    end, function(address)
        local conn = assert(quoll.connect(address))
        conn:settimeout(pair.PATIENCE)
        conn:send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n" .. HANDSHAKE
            .. sockets.masked(0x81, "m"))
        assert.truthy(conn:receiveuntil("\r\n\r\n")():find "^HTTP/1.1 200 ")
        assert.equal("plain", conn:receive(5))
        assert.truthy(conn:receiveuntil("\r\n\r\n")():find "^HTTP/1.1 101 ")
        assert.same({ 0x81, "m" }, { sockets.read(conn) })
    end))

    it("answers what is no handshake, and keeps the connection", served(echo,
        function(address)
            local conn = assert(quoll.connect(address))
            conn:settimeout(pair.PATIENCE)
            for _ = 1, 2 do
                conn:send "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                local head = conn:receiveuntil "\r\n\r\n" ()
                assert.truthy(head:find "^HTTP/1.1 426 ")
                assert.truthy(head:find("\r\nUpgrade: websocket", 1, true))
                assert.truthy(head:find("\r\nConnection: Upgrade", 1, true))
                assert.truthy(conn:receive(23))
            end
        end))

    it("refuses pages of other sites", served(echo, function(address)
        assert.same({ nil, "answered with status 403", "EPROTO" },
            { open(address, { headers = { Origin = "http://evil.org" } }) })
        local ws = assert(open(address,
            { headers = { Origin = "http://" .. address } }))
        ws:close()
    end))

    -- The close frame is sent only if the system takes it at once.
    local at_once = helper.injected and pending or it

    at_once("closes with 1001 when the handler ends, 1006 never", served(
        function(req)
            assert(req:websocket()):send "bye"
        end, function(address)
            local ws = assert(open(address))
            assert.equal("bye", (ws:receive(pair.PATIENCE)))
            assert.same({ nil, "closed", 1001, "" },
                { ws:receive(pair.PATIENCE) })
        end))

    it("lives on with the task that owns it", function()
        local taken = quoll.sync.channel(1)
        served(function(req)
            taken:send((assert(req:websocket()):disown()))
        end, function(address)
            local ws = assert(open(address))
            local other = taken:receive(pair.PATIENCE):own()
            quoll.yield()
            assert.is_true(other:send "still here")
            assert.equal("still here", (ws:receive(pair.PATIENCE)))
            local closing = quoll.spawn(ws.close, ws)
            assert.equal("closed", (select(2, other:receive(pair.PATIENCE))))
            assert.is_true(closing:wait(pair.PATIENCE))
        end)()
    end)

    it("is broadcast to, as a chat does", function()
        local room = quoll.sync.topic()
        served(function(req)
            local ws = assert(req:websocket())
            local news = room:subscribe(16)
            quoll.scope(function(s)
                s:background(function()
                    for text in news:values() do
                        ws:send(text)
                    end
                end)
                for text in ws:messages() do
                    room:publish(text)
                end
            end)
        end, function(address)
            local all = {}
            for i = 1, 5 do
                all[i] = assert(open(address))
                assert.is_true(all[i]:send("hello " .. i))
                assert.equal("hello " .. i, (all[i]:receive(pair.PATIENCE)))
            end
            for i = 1, 5 do
                assert.equal(i < 5 and "hello " .. i + 1 or nil,
                    (all[i]:receive(i < 5 and pair.PATIENCE or 0)))
                assert.is_true(all[i]:close())
            end
        end)()
    end)
end)
