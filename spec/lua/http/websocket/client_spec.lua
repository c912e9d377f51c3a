local helper = require "spec.helper"
local peer = require "spec.support.http_peer"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local server = require "quoll.http.websocket.server"
local sockets = require "spec.support.websocket"
local tls = require "spec.support.tls_pair"

local http = quoll.http

local function echo(opts)
    return function(req)
        local ws = assert(server.accept(req, opts))
        ws.target = req.target
        sockets.echo(ws)
    end
end

-- A body for `it`: fn(address) with a server of handler(req, conn).
local function served(handler, fn)
    return function()
        quoll.run(function()
            local address, stop = sockets.serve(handler)
            fn(address)
            stop()
        end)
    end
end

-- An answer that is right but for these changes of its lines.
local function answer(changes)
    return function(req, conn)
        local lines = {
            [0] = "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Accept: "
                .. raw.accept(req:header "sec-websocket-key"),
        }
        for at, line in pairs(changes) do
            lines[at] = line
        end
        conn:send(table.concat(lines, "\r\n", 0) .. "\r\n\r\n")
    end
end

describe("lua/quoll/http/websocket/client", function()
    helper.gates()

    it("talks to our server", served(echo { protocols = { "b", "a" } },
        function(address)
            local ws = assert(http.websocket("ws://" .. address .. "/p?q=1",
                { protocols = { "a", "b" }, timeout = pair.PATIENCE }))
            assert.equal("b", ws.protocol)
            for _, data in ipairs { "x", ("long "):rep(1000) } do
                assert.is_true(ws:send(data))
                assert.equal(data, (ws:receive(pair.PATIENCE)))
            end
            assert.is_true(ws:close())
        end))

    it("asks for what it was given", served(function(req, conn)
        assert.equal("/chat?room=1", req.target)
        assert.equal(conn:getsockname() .. ":"
            .. select(2, conn:getsockname()), req:header "host")
        assert.equal("13", req:header "sec-websocket-version")
        assert.equal(24, #req:header "sec-websocket-key")
        assert.equal("https://a.org", req:header "origin")
        assert.is_nil(req:header "sec-websocket-extensions")
        answer {} (req, conn)
    end, function(address)
        local ws = assert(http.websocket("ws://" .. address .. "/chat?room=1",
            { headers = { Origin = "https://a.org" }, compress = false }))
        assert.same({ nil, "closed", 1006, "" }, { ws:receive(pair.PATIENCE) })
    end))

    it("refuses a server that has not understood", function()
        local cases = {
            { "bad response: bad version", { [0] = "HTTP/2 101 x" } },
            { "bad response: bad field", { "Upgrade websocket" } },
            { "bad response: bad field", { " Upgrade: websocket" } },
            { "answered with status 404", { [0] = "HTTP/1.1 404 Not Found" } },
            { "answered with status 302", { [0] = "HTTP/1.1 302 Found",
                "Location: /" } },
            { "bad WebSocket handshake", { "Upgrade: h2c" } },
            { "bad WebSocket handshake", { [2] = "Connection: close" } },
            { "bad WebSocket handshake", { [3] = "Sec-WebSocket-Accept: x" } },
            { "bad WebSocket handshake",
                { [4] = "Sec-WebSocket-Protocol: x" } },
            { "bad WebSocket handshake",
                { [4] = "Sec-WebSocket-Extensions: x-other" } },
            { "bad WebSocket handshake", { [0] = "HTTP/1.0 101 x" } },
            { "bad response: head too large",
                { [4] = "X: " .. ("x"):rep(40000) } },
        }
        for _, case in ipairs(cases) do
            served(answer(case[2]), function(address)
                local ws, err, code = http.websocket("ws://" .. address,
                    { timeout = pair.PATIENCE })
                assert.same({ nil, case[1] }, { ws, err })
                assert.truthy(code)
            end)()
        end
    end)

    it("goes through a proxy, which hears nothing of it", served(echo(),
        function(address)
            peer.serve({ peer.tunnel_to(address) }, function(proxy, asked)
                local ws = assert(http.websocket("ws://" .. address,
                    { proxy = proxy, timeout = pair.PATIENCE }))
                assert.is_true(ws:send "x")
                assert.equal("x", (ws:receive(pair.PATIENCE)))
                assert.matches("^CONNECT " .. address, asked[1].head)
                assert.is_true(ws:close())
            end)
        end))

    it("lets no caller change the handshake", served(function(req, conn)
        assert.equal("websocket", req:header "upgrade")
        assert.equal(24, #req:header "sec-websocket-key")
        assert.equal("Basic dTpw", req:header "authorization")
        answer {} (req, conn)
    end, function(address)
        assert(http.websocket("ws://u:p@" .. address, { headers = {
            upgrade = "h2c", ["sec-websocket-key"] = "x" } }))
    end))

    it("gives up in time", served(function(_, conn)
        conn:receive(1)
    end, function(address)
        assert.same({ nil, "timeout", "TIMEOUT" },
            { http.websocket("ws://" .. address, { timeout = 0.02 }) })
    end))

    it("tells what went wrong before", served(function() end,
        function(address)
            assert.same({ nil, "closed", "CLOSED" },
                { http.websocket("ws://" .. address) })
            assert.same({ nil, "connection refused", "ECONNREFUSED" },
                { http.websocket("ws://127.0.0.1:1") })
            for _, url in ipairs { "http://x", "ws://", "ws://a b", "x", 5,
                "ws://a:99999" }
            do
                pair.raises(function() http.websocket(url) end, "'websocket'")
            end
        end))

    it("talks TLS", function()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local task = quoll.spawn(listener.serve, listener, function(conn)
                echo() (sockets.request(conn))
            end, { tls = tls.server() })
            local port = listener:address():match "%d+$"
            local ws = assert(http.websocket("wss://localhost:" .. port,
                { tls = tls.client() }))
            local data = ("secret"):rep(1000)
            for _ = 1, 3 do
                assert.is_true(ws:send(data, "binary"))
                assert.equal(data, (ws:receive(pair.PATIENCE)))
            end
            assert.is_true(ws:close())
            listener:close()
            task:wait()
        end)
    end)
end)
