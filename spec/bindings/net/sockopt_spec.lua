local helper = require "spec.helper"
local pair = require "spec.support.pair"

describe("bindings/net/sockopt", function()
    helper.gates()

    it("sets and gets switches", pair.with(function(client)
        for _, name in ipairs { "keepalive", "reuseaddr", "tcp-nodelay",
            "oobinline" } do
            for _, value in ipairs { true, false } do
                assert.is_true(client:setoption(name, value))
                assert.equal(value, client:getoption(name))
            end
        end
    end))

    it("sets and gets numbers", pair.with(function(client)
        for name, value in pairs {
            keepidle = 30, keepintvl = 5, keepcnt = 3, ["user-timeout"] = 2000,
            tos = 0x10, ttl = 9, priority = 3, ["tcp-notsent-lowat"] = 16384,
        } do
            assert.is_true(client:setoption(name, value))
            assert.equal(value, client:getoption(name))
        end
        assert.is_true(client:setoption("sndbuf", 65536))
        assert.is_true(client:getoption("sndbuf") >= 65536)
        assert.is_nil((client:getoption("error")))
    end))

    it("sets and gets linger", pair.with(function(client)
        assert.is_false(client:getoption("linger"))
        assert.is_true(client:setoption("linger", 5))
        assert.equal(5, client:getoption("linger"))
        assert.is_true(client:setoption("linger", false))
        assert.is_false(client:getoption("linger"))
    end))

    it("sets and gets names", pair.with(function(client)
        local name = client:getoption("tcp-congestion")
        assert.is_true(#name > 0)
        assert.is_true(client:setoption("tcp-congestion", name))
        assert.equal("", client:getoption("bindtodevice"))
        assert.same({ "no such file or directory", "ENOENT" },
            { select(2, client:setoption("tcp-congestion", "nonesuch")) })
        for _, bad in ipairs { 5, ("x"):rep(16), "a\0b" } do
            pair.raises(function()
                client:setoption("tcp-congestion", bad)
            end, "sockopt_spec.lua:%d+: bad argument 'tcp.congestion' to "
                .. "'setoption' %(a name")
        end
    end))

    it("knows what is another option with IPv6", pair.with(function(client)
        assert.is_true(client:setoption("tos", 0x20))
        assert.equal(0x20, client:getoption("tos"))
        assert.is_true(client:setoption("ttl", 7))
        assert.equal(7, client:getoption("ttl"))
        assert.equal("::1", (client:getpeername()))
    end, "[::1]:0"))

    it("tells who a unix socket's peer is", function()
        local pid = helper.ffi.C.getpid()
        pair.with(function(client, server)
            assert.equal(pid, client:getoption("peercred").pid)
            assert.equal(pid, server:getoption("peercred").pid)
            assert.is_true(server:getoption("peercred").uid >= 0)
        end, "unix:@quoll-cred-" .. pid)()
    end)

    it("gives the system's error", function()
        pair.with(function(client)
            local ok, err, code = client:setoption("keepcnt", 100000)
            assert.same({ "invalid argument", "EINVAL" }, { err, code })
            assert.is_nil(ok)
        end)()
    end)

    it("refuses bad names and values", pair.with(function(client)
        for _, bad in ipairs { "nagle", 1, {} } do
            pair.raises(function()
                client:getoption(bad)
            end, "sockopt_spec.lua:%d+: bad argument 'option' to 'getoption'")
        end
        for _, case in ipairs {
            { "keepalive", 1 }, { "keepidle", "5" }, { "keepcnt", -1 },
            { "linger", true }, { "error", 0 },
            { "peercred", {} },
        } do
            assert.error_matches(function()
                client:setoption(case[1], case[2])
            end, "to 'setoption'")
        end
    end))

    it("tells both ends' names", pair.with(function(client, server)
        local ip, port = client:getsockname()
        assert.equal("127.0.0.1", ip)
        assert.same({ ip, port }, { server:getpeername() })
        assert.same({ server:getsockname() }, { client:getpeername() })
    end))

    it("knows the peer after a reset", pair.with(function(client, server)
        local ip, port = client:getsockname()
        pair.reset(client)
        server:receive(1)
        assert.same({ ip, port }, { server:getpeername() })
    end))

    it("tells names of unix sockets", function()
        local address = "unix:@quoll-names-" .. helper.ffi.C.getpid()
        pair.with(function(client)
            assert.same({ address }, { client:getpeername() })
        end, address)()
    end)

    it("tells the descriptor", pair.with(function(client, server)
        assert.is_true(client:getfd() > 2)
        assert.are_not.equal(client:getfd(), server:getfd())
    end))
end)

describe("a socket that the system refuses to tell of", function()
    local inject = [[
        local inject = require "spec.support.scripted"
        local quoll = require "quoll"
    ]]

    it("gives its error", function()
        local result = helper.script(inject .. [[
            local pair = require "spec.support.pair"
            quoll.run(function()
                local conn = pair.connect()
                for _, name in ipairs { "getsockopt", "setsockopt",
                    "getsockname" } do
                    inject.ql_inject_fail(name, conn:getfd(), 1, 1, 105)
                end
                print(conn:getoption "keepalive")
                print(conn:setoption("keepalive", true))
                print(conn:getsockname())
                print((conn:getoption "keepalive"))
            end)
        ]])
        assert.equal(("nil\tno buffer space available\tENOBUFS\n"):rep(3)
            .. "false\n", result.out, result.err)
    end)
end)
