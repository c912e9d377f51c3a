local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- Passes bytes from one plain connection to the other as long as they come;
-- counts the records of application data.
local function relay(from, to, count)
    while true do
        local head, body = tls.record(from)
        if not head then
            return
        end
        if head:byte(1) == 23 then
            count.records = (count.records or 0) + 1
        end
        to:send { head, body }
    end
end

-- client, server, and a cut through which their bytes go.
local function through(count)
    local client, left = pair.connect()
    local right, server = pair.connect()
    quoll.spawn(relay, left, right, count)
    quoll.spawn(relay, right, left, {})
    local mine, theirs = tls.shake(client, server)
    assert(mine[1], mine[2])
    assert(theirs[1], theirs[2])
    return client, server, left, right
end

describe("runtime/tls/io", function()
    helper.gates()

    it("tells the end from a stream that was cut", function()
        quoll.run(function()
            local client, server, _, right = through {}
            assert(server:send "all")
            assert(client:send "some")
            assert.equal("some", server:receive(4))
            right:shutdown "send"
            assert.same({ nil, "tls: unexpected eof", "", "ETRUNCATED" },
                { server:receive "*a" })
            client:close()
            server:close()
        end)
    end)

    it("meets a reset while it reads", function()
        quoll.run(function()
            local client, server, _, right = through {}
            local reading = quoll.spawn(server.receive, server, 1)
            quoll.yield()
            pair.reset(right)
            assert.same({ nil, "connection reset by peer", "", "ECONNRESET" },
                { reading:wait(tls.PATIENCE) })
            client:close()
        end)
    end)

    it("ends with a close_notify", tls.with(function(client, server)
        assert(client:send "all")
        assert.is_true(client:shutdown "send")
        assert.equal("all", server:receive "*a")
        assert.equal("CLOSED", select(4, client:send "more"))
        assert(server:send "answer")
        server:close()
        assert.equal("answer", client:receive "*a")
    end))

    it("loses nothing where shutdown is called twice", tls.with(
        function(client, server)
            assert.is_true(client:shutdown "send")
            assert(server:send(("x"):rep(20000)))
            assert(client:peek(1))
            assert.is_true(client:shutdown "send")
            server:close()
            assert.equal(20000, #client:receive "*a")
        end))

    it("fails for both directions where a record is damaged", function()
        quoll.run(function()
            local client, server, left, right = through {}
            right:send "\23\3\3\0\5wrong"
            local _, err, _, code = server:receive(1)
            assert.same({ "decryption failed or bad record mac",
                "DECRYPTION_FAILED_OR_BAD_RECORD_MAC" }, { err, code })
            assert.is_nil(server:send "x")
            for _, conn in ipairs { client, server, left, right } do
                conn:close()
            end
        end)
    end)

    it("gathers small pieces in one record", function()
        quoll.run(function()
            local count = {}
            local client, server = through(count)
            local before = count.records
            assert(client:send { "a", { "b", 1 }, "c", "d", "e" })
            assert.equal("ab1cde", server:receive(6))
            assert.equal(1, count.records - before)
            client:close()
            server:close()
        end)
    end)

    it("makes one record of what was corked", function()
        quoll.run(function()
            local count = {}
            local client, server = through(count)
            local before = count.records
            client:cork()
            for i = 1, 50 do
                assert(client:send { "part ", i % 10 })
            end
            client:uncork()
            assert.equal(300, #server:receive(300))
            assert.equal(1, count.records - before)
            client:close()
            server:close()
        end)
    end)

    it("hands out what OpenSSL has read ahead", tls.with(
        function(client, server)
            for i = 1, 20 do
                assert(client:send(("%02d"):format(i)))
            end
            local got = {}
            for i = 1, 20 do
                got[i] = assert(server:receive(2))
            end
            assert.equal("20", got[20])
            assert(client:send "xy")
            assert.equal("x", server:peek(1))
            local key = quoll.sync.select({ [1] = server }, tls.PATIENCE)
            assert.equal(1, key)
            assert.equal("xy", server:receive(2))
        end))

    it("moves much in both directions at once", tls.with(
        function(client, server)
            local data = ("0123456789abcdef"):rep(pair.MIB / 16)
            local tasks = {}
            for _, conn in ipairs { client, server } do
                tasks[#tasks + 1] = quoll.spawn(conn.send, conn,
                    { data:sub(1, 100), data:sub(101) })
                tasks[#tasks + 1] = quoll.spawn(conn.receive, conn, #data)
            end
            for i = 1, 4, 2 do
                assert.equal(#data, tasks[i]:wait(4 * tls.PATIENCE))
                assert.equal(data, tasks[i + 1]:wait(4 * tls.PATIENCE))
            end
        end))

    it("breaks sending where a record went out in part", tls.with(
        function(client, server)
            client:settimeouts(0.01, tls.PATIENCE)
            local big = ("x"):rep(16 * 1024)
            local code
            repeat
                code = select(4, client:send(big))
            until code
            assert.equal("TIMEOUT", code)
            local sent, _, _, after = client:send "y"
            assert.same({ nil, "CLOSED" }, { sent, after })
            assert.equal(big, server:receive(#big))
        end))

    it("tells how much has gone where a later record did not", tls.with(
        function(client, server)
            client:setoption("sndbuf", 4096)
            client:settimeouts(0.1, tls.PATIENCE) -- more than an ACK's delay
            local sent, _, partial = client:send(("x"):rep(pair.MIB))
            client:close()
            local all, _, some = server:receive "*a"
            assert.equal(sent or partial, #(all or some))
        end))

    it("sends files", tls.with(function(client, server)
        local path = os.tmpname()
        local data = ("line %07d\n"):rep(20000):gsub("%%07d", "0")
        local file = assert(io.open(path, "w"))
        file:write(data)
        file:close()
        local opened = assert(quoll.open(path))
        local sending = quoll.spawn(client.sendfile, client, opened, 5,
            #data - 5)
        assert.equal(data:sub(6), server:receive(#data - 5))
        assert.equal(#data - 5, sending:wait(tls.PATIENCE))
        opened:close()
        os.remove(path)
    end))

    it("says nothing when a forked child closes what it has", function()
        local result = helper.script [[
            local ffi = require "ffi"
            local pooled = require "spec.support.pooled"
            local quoll = require "quoll"
            local tls = require "spec.support.tls_pair"
            for _, prototype in ipairs { "int fork(void);",
                "int waitpid(int pid, int *status, int options);",
                "void _exit(int);", "unsigned alarm(unsigned);" } do
                pcall(ffi.cdef, prototype)
            end
            pooled.with(function(there)
                local conns = { there:connect(), there:connect() }
                local peers = { there:accept(), there:accept() }
                for i, conn in ipairs(conns) do
                    assert(tls.shake(conn, peers[i])[1])
                end
                assert(conns[2]:setkeepalive())
                local pid = ffi.C.fork()
                if pid == 0 then
                    ffi.C.alarm(8)
                    quoll.sleep(0.001) -- the pools are dropped
                    conns[1]:close()
                    ffi.C._exit(quoll.stats().keepalive.idle)
                end
                local status = ffi.new("int[1]")
                ffi.C.waitpid(pid, status, 0)
                assert(status[0] == 0, "the child failed")
                conns[2] = there:connect()
                assert(conns[2]:getreusedtimes() == 1)
                for i, conn in ipairs(conns) do
                    assert(peers[i]:send "x")
                    assert(conn:receive(1) == "x")
                    assert(conn:send "y")
                    assert(peers[i]:receive(1) == "y")
                end
            end)()
        ]]
        assert.equal(0, result.code, result.err)
    end)
end)
