local helper = require "spec.helper"
local http = require "spec.support.http"
local http2 = require "spec.support.http2"
local quoll = require "quoll"

local END = http2.END_STREAM

-- fn(client) beside a server of handler.
local function with(handler, opts, fn, settings)
    return http.with(handler, opts, function(connect)
        local c = connect()
        fn(http2.client(c.conn, settings), connect)
        c.conn:close()
    end)
end

describe("lua/http/http2/connection", function()
    helper.gates()

    it("answers streams side by side", function()
        local go = quoll.sync.event()
        with(function(req)
            if req.path == "/slow" then
                go:wait()
            end
            return req.path .. " " .. req.id
        end, nil, function(c)
            c:say(http2.get(1, "/slow"), http2.get(3, "/fast"))
            assert.equal("/fast 2", c:hear(3).body)
            go:set()
            assert.equal("/slow 1", c:hear(1).body)
        end)()
    end)

    it("cancels the handler of a stream that is reset", function()
        local started, why = quoll.sync.event(), nil
        local ended = quoll.sync.event()
        with(function(req)
            if req.path == "/b" then
                return "still here"
            end
            quoll.defer(function() ended:set() end)
            started:set()
            local _, err = pcall(quoll.sleep, 30)
            why = quoll.iscancelled(err)
            error(err, 0)
        end, nil, function(c)
            c:say(http2.get(1, "/a"))
            assert(started:wait(http.PATIENCE))
            c:say(http2.frame(http2.RST_STREAM, 0, 1, http2.number(8, 4)))
            assert(ended:wait(http.PATIENCE))
            assert.equal("the client has left", why)
            c:say(http2.get(3, "/b"))
            assert.equal("still here", c:hear(3).body)
        end)()
    end)

    it("cancels its handlers when the client leaves", function()
        local started, ended = quoll.sync.event(), quoll.sync.event()
        with(function()
            quoll.defer(function() ended:set() end)
            started:set()
            quoll.sleep(30)
        end, nil, function(c)
            c:say(http2.get(1, "/"))
            assert(started:wait(http.PATIENCE))
            c.conn:close()
            assert(ended:wait(http.PATIENCE))
        end)()
    end)

    it("leaves after so many requests", with(function(req)
        return req.path
    end, { requests = 2 }, function(c)
        c:say(http2.get(1, "/a"), http2.get(3, "/b"))
        assert.equal("/a", c:hear(1).body)
        assert.equal("/b", c:hear(3).body)
        assert.equal(0, c:await(http2.GOAWAY).code)
        assert.is_false(c:read(function() return false end))
    end))

    it("ends idle connections, and those that never begin", with(
        function() return "x" end, { idle_timeout = 0.05 }, function(c)
            c:say(http2.get(1, "/"))
            assert.equal("x", c:hear(1).body)
            assert.is_false(c:read(function() return false end))
        end))

    it("is not kept by a client that only pings", with(function()
        return "x"
    end, { idle_timeout = 0.1 }, function(c)
        c:say(http2.get(1, "/"))
        c:hear(1)
        local ping = http2.frame(http2.PING, 0, 0, "12345678")
        local till = quoll.now() + http.PATIENCE
        repeat
            quoll.sleep(0.01)
        until not c.conn:send(ping) or quoll.now() > till
        assert.truthy(quoll.now() < till)
    end))

    it("calms a flood", with(function() return "x" end, nil, function(c)
        local ping = http2.frame(http2.PING, 0, 0, "12345678"):rep(100)
        for _ = 1, 20 do
            if not c.conn:send(ping) then
                break
            end
        end
        -- nghttp2 says nothing where acknowledgements have piled up.
        local bye = c:await(http2.GOAWAY)
        assert.truthy(not bye or bye.code == http2.ENHANCE_YOUR_CALM)
        assert.is_false(c:read(function() return false end))
    end))

    it("ends at an error of the connection, and its handlers", function()
        local bad = {
            { code = http2.ENHANCE_YOUR_CALM,
                bytes = http2.frame(http2.DATA, 0, 1, ""):rep(2000) },
            { code = 6, bytes = http2.frame(http2.PING, 0, 0, "x") },
            { code = 9, bytes = http2.frame(http2.HEADERS, 4, 3,
                "\63\225\255\255\127") },
        }
        for _, case in ipairs(bad) do
            local started, ended = quoll.sync.event(), quoll.sync.event()
            with(function(req)
                quoll.defer(function() ended:set() end)
                started:set()
                return req:body()
            end, nil, function(c)
                c:say(http2.post(1, "/"))
                assert(started:wait(http.PATIENCE))
                c:say(case.bytes)
                assert.equal(case.code, c:await(http2.GOAWAY).code)
                assert.is_false(c:read(function() return false end))
                assert(ended:wait(http.PATIENCE))
            end)()
        end
    end)

    it("stops with its streams answered", function()
        local go = quoll.sync.event()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local server = quoll.spawn(quoll.http.serve, listener, function()
                go:wait()
                return "done"
            end)
            local conn = assert(quoll.connect(listener:address()))
            conn:settimeout(http.PATIENCE)
            local c = http2.client(conn)
            c:say(http2.get(1, "/"))
            c:await(http2.SETTINGS)
            quoll.stop(http.PATIENCE)
            assert.equal(0, c:await(http2.GOAWAY).code)
            go:set()
            assert.equal("done", c:hear(1).body)
            assert.is_false(c:read(function() return false end))
            conn:close()
            server:wait()
        end)
    end)

    it("refuses a body that is too slow", with(function(req)
        local body, err, code = req:body()
        assert(not body)
        return err .. " " .. code
    end, { body_timeout = 0.05 }, function(c)
        c:say(http2.post(1, "/"), http2.frame(http2.DATA, 0, 1, "abc"))
        assert.equal("timeout TIMEOUT", c:hear(1).body)
        assert.equal(0, c:await(http2.RST_STREAM).code)
    end))

    it("gives up a client that takes nothing", function()
        local ended = quoll.sync.event()
        with(function()
            quoll.defer(function() ended:set() end)
            return ("x"):rep(200000)
        end, { send_timeout = 0.05 }, function(c)
            c:say(http2.get(1, "/"))
            assert(ended:wait(http.PATIENCE))
            assert.truthy(c:await(http2.RST_STREAM))
        end, http2.window(10))()
    end)

    it("takes a body that is longer than any window", with(function(req)
        local n = 0
        for piece in req:chunks() do
            n = n + #piece
        end
        return tostring(n)
    end, nil, function(c)
        c:await(http2.SETTINGS)
        c:say(http2.post(1, "/"))
        local piece = http2.frame(http2.DATA, 0, 1, ("x"):rep(16000))
        for i = 1, 20 do
            c:say(piece)
            local want = math.max(0, i * 16000 - 48000)
            c:read(function()
                local got = 0
                for _, f in ipairs(http2.only(http2.WINDOW_UPDATE, c.seen)) do
                    if f.id == 1 then
                        local _, b, x, d = f.payload:byte(1, 4)
                        got = got + (b * 256 + x) * 256 + d
                    end
                end
                return got >= want
            end)
        end
        c:say(http2.frame(http2.DATA, END, 1, ""))
        assert.equal("320000", c:hear(1).body)
    end))
end)
