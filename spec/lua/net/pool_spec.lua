local handshake = require "quoll.tls.handshake"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local pooled = require "spec.support.pooled"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("quoll.net.pool", function()
    helper.gates()

    it("takes the last one that was given back", pooled.with(function(there)
        local a, b = there:connect(), there:connect()
        local fd = b:getfd()
        assert(a:setkeepalive())
        assert(b:setkeepalive())
        assert.equal(fd, there:connect():getfd())
        local stats = pooled.stats(there.address)
        assert.equal(1, stats.idle)
        assert.equal(2, stats.connections)
        assert.equal(2, stats.created)
        assert.equal(1, stats.reused)
    end))

    it("makes a new one when the kept one is gone", pooled.with(function(there)
        local dropped = pooled.watch("closed")
        there:park():close()
        dropped(1)
        assert.equal(0, there:connect():getreusedtimes())
        dropped = pooled.watch("readable")
        there:accept()
        local peer = there:park()
        assert(peer:send("x"))
        dropped(1)
        assert.equal(0, there:connect():getreusedtimes())
    end))

    it("gives it to the task that takes it", pooled.with(function(there)
        local conn, peer
        quoll.spawn(function()
            peer = there:park()
            peer:own()
            peer:disown()
        end):wait(pair.PATIENCE)
        quoll.spawn(function()
            conn = there:connect()
            assert.equal(1, conn:getreusedtimes())
        end):wait(pair.PATIENCE)
        assert.equal("OWNER_ENDED", select(4, conn:send("x")))
        peer:close()
    end))

    it("finds a kept one before the name is looked up",
        pooled.with(function(there)
            local peer = there:park("backend")
            there.address = "nowhere.invalid:80"
            assert.equal(1, there:connect("backend"):getreusedtimes())
            peer:close()
        end))

    it("tells options apart that make connections different",
        pooled.with(function(there)
            local start, check = handshake.start, handshake.check
            handshake.start = function() return true end
            handshake.check = function() end
            quoll.defer(function()
                handshake.start, handshake.check = start, check
            end)
            local object = setmetatable({}, {})
            local distinct = {
                {}, { bind = "127.0.0.2:0" }, { tls = true }, { tls = object },
                { tls = { verify = false } }, { tls = { verify = "false" } },
                { tls = { a = "b", c = "d" } }, { tls = { a = "bc", d = "" } },
                { tls = { a = { b = object } } },
            }
            local peers = {} -- anchored
            for i, opts in ipairs(distinct) do
                peers[i] = there:park("name", opts)
            end
            assert.equal(#peers, quoll.stats().keepalive.idle)
            for _, opts in ipairs(distinct) do
                opts.timeout = pair.PATIENCE / 2 -- makes no difference
                assert.equal(1, there:connect("name", opts):getreusedtimes())
            end
            there.address = there.address:gsub("127.0.0.1", "localhost")
            assert.equal(0, there:connect():getreusedtimes())
        end))

    it("evicts the oldest of a full pool, and of all",
        pooled.with(function(there)
            local pool = { name = "two", size = 2 }
            local before = quoll.stats().keepalive.dropped.evicted
            local conns, peers = {}, {}
            for i = 1, 3 do
                conns[i] = there:connect(pool)
                peers[i] = there:accept()
            end
            for i = 1, 3 do
                assert(conns[i]:setkeepalive())
            end
            assert.equal("closed", select(2, peers[1]:receive(1)))
            quoll.configure { keepalive = 1 }
            assert.equal("closed", select(2, peers[2]:receive(1)))
            quoll.configure { keepalive = 1024 }
            assert.equal(before + 2, quoll.stats().keepalive.dropped.evicted)
        end))

    it("refuses bad options", pooled.with(function(there)
        for _, bad in ipairs { 5, print } do
            assert.error_matches(function() there:connect(bad) end,
                "bad argument 'pool' to 'connect' %(true, a name or a table")
        end
        for name, bad in pairs { size = 0, backlog = -1, max_idle = -1,
            name = 5 } do
            assert.error_matches(function() there:connect { [name] = bad } end,
                "bad argument '" .. name .. "' to 'connect'")
        end
        assert.error_matches(function() there:connect { x = 1 } end,
            "no option 'x'; there are: backlog, max_idle, name, size")
        assert.equal(0, #quoll.stats().keepalive.pools)
    end))

    it("leaves room behind when a step raises", pooled.with(function(there)
        local start = handshake.start
        handshake.start = function() error("no luck", 0) end
        quoll.defer(function() handshake.start = start end)
        for _ = 1, 2 do
            assert.error_matches(function()
                there:connect({ size = 1, backlog = 0 }, { tls = true })
            end, "^no luck$")
        end
        assert.equal(0, #quoll.stats().keepalive.pools)
    end))

    it("keeps TLS behind a PROXY header", function()
        local seen = {}
        quoll.run(function()
            local listener = assert(quoll.listen("127.0.0.1:0"))
            local server = quoll.spawn(listener.serve, listener,
                function(conn)
                    for line in conn:lines() do
                        seen[#seen + 1] = conn:getpeername()
                        conn:send { line, " ", conn:tlsinfo().version, "\n" }
                    end
                end, { proxy = true, tls = tls.server() })
            local opts = { pool = true, timeout = pair.PATIENCE,
                tls = tls.client { timeout = nil }, proxy = { version = "v2",
                source = "192.0.2.1:5", destination = "192.0.2.2:443" } }
            for i = 0, 2 do
                local conn = assert(quoll.connect(listener:address(), opts))
                conn:settimeout(pair.PATIENCE)
                assert.equal(i, conn:getreusedtimes())
                assert(conn:send "hello\n")
                assert.equal("hello TLSv1.3", conn:receive())
                assert(conn:setkeepalive())
            end
            opts.proxy.source = "192.0.2.3:5"
            assert.equal(0, assert(quoll.connect(listener:address(),
                opts)):getreusedtimes())
            listener:close()
            server:cancel()
        end)
        assert.same({ "192.0.2.1", "192.0.2.1", "192.0.2.1" }, seen)
    end)
end)
