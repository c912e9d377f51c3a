local handshake = require "quoll.tls.handshake"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local pool = require "quoll.net.pool"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

describe("quoll.net.connect", function()
    helper.gates()

    it("says connection refused", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local address = listener:address()
            listener:close()
            assert.same(results(nil, "connection refused", "ECONNREFUSED"),
                results(quoll.connect(address)))
            assert.same(
                results(nil, "no such file or directory", "ENOENT"),
                results(quoll.connect("unix:/nonexistent/socket")))
        end)
    end)

    it("says what is wrong with an address", function()
        assert.same(results(nil, "host not found", "ENOTFOUND"),
            results(quoll.connect("nowhere.invalid:80")))
        local conn, err, code = quoll.connect("127.0.0.1:99999")
        assert.is_nil(conn)
        assert.matches("bad address '127.0.0.1:99999'", err)
        assert.equal("EINVAL", code)
        assert.error_matches(function()
            quoll.connect(80)
        end, "bad argument 'address' to 'connect'")
    end)

    it("sets options before it connects", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local client = quoll.connect(listener:address(), { options = {
                keepalive = true, rcvbuf = 65536, ttl = 5,
                ["tcp-fastopen"] = true, linger = false,
            } })
            assert.is_true(client:getoption("keepalive"))
            assert.equal(5, client:getoption("ttl"))
            assert.is_true(client:getoption("tcp-fastopen"))
            local server = listener:accept(pair.PATIENCE)
            assert.equal(2, client:send("hi"))
            assert.equal("hi", server:receive(2))
        end)
    end)

    it("fails with the system's error for an option", function()
        quoll.run(function()
            assert.same(
                results(nil, "no such file or directory", "ENOENT"),
                results(quoll.connect("127.0.0.1:1",
                    { options = { ["tcp-congestion"] = "nonesuch" } })))
            for _, bad in ipairs { { nagle = true }, { ttl = "x" }, { 1 },
                { error = 5 } } do
                pair.raises(function()
                    quoll.connect("127.0.0.1:1", { options = bad })
                end, "connect_spec.lua:%d+: bad argument '%w+' to 'connect'")
            end
        end)
    end)

    it("refuses options of its steps before it connects", function()
        for expected, opts in pairs {
            ["no option 'verfy'"] = { tls = { verfy = false } },
            ["verification needs 'server_name'"] = { tls = true },
            ["a table expected, got 'yes'"] = { tls = "yes" },
            ["the version is 'v1' or 'v2'"] = { proxy = "v3" },
            ["an IP address with its port"] = { proxy = { version = "v1",
                source = "x", destination = "1.2.3.4:1" } },
        } do
            pair.raises(function()
                quoll.connect("unix:/nonexistent/socket", opts)
            end, "connect_spec.lua:%d+: bad argument.*" .. expected:gsub("%p",
                "%%%0"))
        end
    end)

    it("connects from an address", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local client = quoll.connect(listener:address(),
                { bind = "127.0.0.2:0", timeout = pair.PATIENCE })
            local server = listener:accept(pair.PATIENCE)
            assert.equal("127.0.0.2", (server:getpeername()))
            assert.equal("127.0.0.2", (client:getsockname()))
        end)
    end)

    describe("with steps", function()
        local start, from_pool = handshake.start, pool.connect
        local listener

        before_each(function()
            listener = assert(quoll.listen("127.0.0.1:0"))
        end)

        after_each(function()
            handshake.start, pool.connect = start, from_pool
            listener:close()
        end)

        local function connect(opts)
            opts.timeout = opts.timeout or pair.PATIENCE
            return quoll.connect(listener:address(), opts)
        end

        it("hands the connection, its options and the host on", function()
            local seen
            handshake.start = function(conn, opts, host)
                seen = { conn, opts, host }
                return true
            end
            local conn = assert(connect { tls = { verify = false } })
            assert.same({ conn, { verify = false }, "127.0.0.1" }, seen)
            conn:close()
        end)

        it("closes a connection that the step refuses", function()
            local conn
            handshake.start = function(c)
                conn = c
                return nil, "bad certificate", "EX509"
            end
            assert.same(results(nil, "bad certificate", "EX509"),
                results(connect { tls = true }))
            assert.equal("CLOSED", select(3, conn:getfd()))
            handshake.start = function() error("raised", 0) end
            assert.error_matches(function() connect { tls = true } end,
                "^raised$")
        end)

        it("has one deadline for all steps", function()
            local conn
            handshake.start = function(c)
                conn = c
                return c:receive(1)
            end
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(connect { tls = true, timeout = 0.02 }))
            assert.equal("CLOSED", select(3, conn:getfd()))
        end)

        it("asks the pool first", function()
            handshake.start = function() return true end
            pool.connect = function(address, opts, open)
                assert.equal(listener:address(), address)
                return open(address, opts)
            end
            assert(connect { tls = true, pool = {} }):close()
            assert.error_matches(function()
                connect { pool = {}, timeout = -1 }
            end, "bad argument 'timeout' to 'connect'")
        end)
    end)
end)
