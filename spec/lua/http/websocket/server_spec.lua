local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local server = require "quoll.http.websocket.server"
local sockets = require "spec.support.websocket"

-- A request as a browser makes it, with these fields changed.
local function request(conn, changes)
    local headers = {
        host = "example.com", upgrade = "websocket",
        connection = "keep-alive, Upgrade", ["sec-websocket-version"] = "13",
        ["sec-websocket-key"] = "dGhlIHNhbXBsZSBub25jZQ==",
        origin = "http://example.com",
    }
    local req = { method = "GET", version = "1.1", headers = headers }
    for name, value in pairs(changes or {}) do
        if req[name] then
            req[name] = value
        else
            headers[name] = value or nil
        end
    end
    function req.header(_, name)
        return headers[name]
    end
    function req.hijack()
        return conn
    end
    return req
end

-- The lines of an answer's head.
local function head_of(conn)
    local lines = {}
    repeat
        local line = assert(conn:receive())
        lines[#lines + 1] = line ~= "" and line or nil
    until line == ""
    return lines
end

describe("lua/quoll/http/websocket/server", function()
    helper.gates()

    it("answers as RFC 6455, 1.3 does; what came early is not lost",
        pair.with(function(client, conn)
            pair.deliver(client, conn, sockets.masked(0x81, "early"))
            local ws = assert(server.accept(request(conn)))
            assert.same({ "HTTP/1.1 101 Switching Protocols",
                "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
                head_of(client))
            assert.equal("early", (ws:receive(pair.PATIENCE)))
        end))

    it("agrees to a protocol, ours first, and to compression", pair.with(
        function(client, conn)
            local ws = assert(server.accept(request(conn, {
                ["sec-websocket-protocol"] = "soap, chat , v2",
                ["sec-websocket-extensions"] = "permessage-deflate",
            }), { protocols = { "v2", "chat" }, headers = { ["X-A"] = 1 },
                compress = { context = true } }))
            assert.equal("v2", ws.protocol)
            local lines = head_of(client)
            assert.same({ "Sec-WebSocket-Protocol: v2",
                "Sec-WebSocket-Extensions: permessage-deflate", "X-A: 1" },
                { unpack(lines, 5) })
        end))

    it("names no protocol that was not asked for", pair.with(
        function(client, conn)
            local ws = assert(server.accept(request(conn),
                { protocols = { "chat" }, compress = false }))
            assert.is_nil(ws.protocol)
            assert.equal(4, #head_of(client))
        end))

    it("refuses what is no handshake", pair.with(function(_, conn)
        local cases = {
            { { upgrade = false }, 426, "Upgrade" },
            { { upgrade = "h2c" }, 426, "Upgrade" },
            { { connection = "keep-alive" }, 426, "Upgrade" },
            { { ["sec-websocket-version"] = "8" }, 426,
                "Sec-WebSocket-Version" },
            { { ["sec-websocket-version"] = false }, 426,
                "Sec-WebSocket-Version" },
            { { method = "POST" }, 400 }, { { version = "1.0" }, 400 },
            { { ["sec-websocket-key"] = false }, 400 },
            { { ["sec-websocket-key"] = "c2hvcnQ=" }, 400 },
            { { ["sec-websocket-key"] = ("a"):rep(24) }, 400 },
            { { ["content-length"] = "5" }, 400 },
            { { ["transfer-encoding"] = "chunked" }, 400 },
        }
        for i, case in ipairs(cases) do
            local ws, status, text, headers = server.accept(request(conn,
                case[1]))
            assert.is_nil(ws)
            assert.equal(case[2], status, i)
            assert.equal("string", type(text))
            assert.truthy(not case[3] or headers[case[3]], i)
        end
    end))

    local function status_of(conn, origin, origins, host)
        local ws, status = server.accept(request(conn,
            { origin = origin, host = host }), { origins = origins })
        if ws then
            require("quoll.core.websocket").shut(ws)
        end
        return status or 101
    end

    it("takes only pages of its own, unless it is told", function()
        local cases = {
            { 101, false }, { 101, "http://example.com" },
            { 101, "https://EXAMPLE.com" }, { 403, "http://evil.com" },
            { 403, "null" }, { 403, "http://example.com:8080" },
            { 403, "http://example.com.evil.com" }, { 403, "" },
            { 101, "http://[::1]:80", nil, "[::1]:80" },
            { 101, "http://evil.com", "*" }, { 101, "null", "*" },
            { 101, "https://a.org", { "https://a.org", "https://b.org" } },
            { 403, "http://a.org", { "https://a.org" } },
            { 403, "http://example.com", {} }, { 101, false, {} },
            { 101, "x", function(origin) return origin == "x" end },
            { 403, "y", function(origin) return origin == "x" end },
        }
        for i, case in ipairs(cases) do
            pair.with(function(_, conn)
                assert.equal(case[1],
                    status_of(conn, case[2], case[3], case[4]), i)
            end)()
        end
    end)

    it("checks its options", function()
        pair.raises(function() server.accept({}, { origins = 1 }) end,
            "origins.*'websocket'")
        pair.raises(function() server.accept({}, { foo = 1 }) end,
            "no option 'foo'")
    end)

    it("tells a connection that has gone", pair.with(function(_, conn)
        conn:close()
        local ws, status, err = server.accept(request(conn))
        assert.same({ nil, 500, "closed" }, { ws, status, err })
        quoll.yield()
    end))
end)
