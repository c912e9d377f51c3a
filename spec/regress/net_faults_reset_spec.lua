-- A peer that resets the connection, at each stage of its life: who waits is
-- told, once; nothing is left over and the next one is served.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.sockets"
local tasks = require "spec.support.tasks"
local tls = require "spec.support.tls_pair"

local exact = helper.injected and pending or it -- a byte at a time none is full
local WORDS = "connection reset by peer"

local function in_task(fn)
    return function() tasks.run(fn, 20) end
end

local function gone(code)
    return code == "ECONNRESET" or code == "EPIPE"
end

-- How two ends are made, and how one of them resets the other.
local kinds = {
    tcp = { pair.connect, pair.reset },
    tls = { tls.connect, function(conn)
        sockets.disconnect(conn:getfd()) -- without a close_notify
        conn:close()
    end },
    unix = { function() return pair.connect(pair.name()) end,
        function(conn)
            conn:close() -- with bytes unread
        end, unread = true },
}

local function connect(kind)
    local client, server = kind[1]()
    if kind.unread then
        assert(client:send "unread")
    end
    return client, server
end

-- A relay of one connection that resets both ends after `cut` bytes in the
-- direction `side` (1: from the client). Its address.
local function relay(target, side, cut)
    local listener = assert(quoll.listen "127.0.0.1:0")
    quoll.spawn(function()
        local ends = { assert(listener:accept(pair.PATIENCE)),
            assert(quoll.connect(target)) }
        listener:close()
        local function pump(from, to, left)
            repeat
                local data = left > 0 and ends[from]:receiveany(
                    math.min(left, 4096))
                left = left - #(data or "")
            until not data or not ends[to]:send(data)
        end
        local pumps = {}
        for from = 1, 2 do
            pumps[from] = quoll.spawn(pump, from, 3 - from,
                from == side and cut or math.huge)
        end
        pumps[side]:wait(pair.PATIENCE)
        pumps[3 - side]:cancel()
        for i = 1, 2 do
            pcall(pair.reset, ends[i])
        end
    end):name "relay"
    return listener:address()
end

describe("a reset", function()
    helper.gates()

    it("before accept leaves the listener to the others", in_task(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        for _ = 1, 3 do
            pair.reset(assert(quoll.connect(listener:address())))
        end
        local last = assert(quoll.connect(listener:address()))
        for _ = 1, 3 do
            local conn = assert(listener:accept(pair.PATIENCE))
            assert.same({ nil, WORDS, "", "ECONNRESET" }, { conn:receive(1) })
            assert.same({ nil, "broken pipe", 0, "EPIPE" },
                { conn:send "x" })
            conn:close()
        end
        local conn = assert(listener:accept(pair.PATIENCE))
        last:send "served"
        assert.equal("served", conn:receive(6))
    end))

    it("before accept or in the handshake is no handler's", in_task(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        local handled = 0
        local serving = quoll.spawn(function()
            return listener:serve(function(conn)
                handled = handled + 1
                conn:send "served"
            end, { tls = tls.server() })
        end)
        for _, first in ipairs { "", "\22", "\22\3\1\2\0\1\0" } do
            local conn = assert(quoll.connect(listener:address()))
            conn:send(first)
            pair.reset(conn)
        end
        local conn = assert(quoll.connect(listener:address(), {
            tls = tls.client(), timeout = pair.PATIENCE }))
        assert.equal("served", conn:receive(6))
        assert.equal(1, handled)
        listener:close()
        conn:close()
        serving:wait(pair.PATIENCE)
    end))

    for side, name in ipairs { "client", "server" } do
        it("in the TLS handshake ends it, " .. name .. "'s bytes",
            in_task(function()
                local listener = assert(quoll.listen "127.0.0.1:0")
                for _, cut in ipairs { 0, 1, 5, 6, 43, 200 } do
                    local client = assert(quoll.connect(relay(
                        listener:address(), side, cut)))
                    local server = assert(listener:accept(pair.PATIENCE))
                    local mine, theirs = tls.shake(client, server)
                    assert.is_nil(mine[1])
                    assert.equal("ECONNRESET", mine[3], cut)
                    assert.is_nil(theirs[1])
                    assert.equal("ECONNRESET", theirs[3], cut)
                    assert.equal("CLOSED", select(3, client:close()))
                    assert.equal("CLOSED", select(3, server:close()))
                end
            end))
    end
end)

-- Reads that wait with "ab" before them, and what they give.
local reads = {
    receive = { function(conn) return conn:receive(3) end, "ab" },
    line = { function(conn) return conn:receive() end, "ab" },
    all = { function(conn) return conn:receive "*a" end, "ab" },
    peek = { function(conn) return conn:peek(3) end, "ab" },
    ["until"] = { function(conn)
        return conn:receiveuntil("--")()
    end, "ab" },
    any = { function(conn)
        assert(conn:receive(2))
        return conn:receiveany(2)
    end, "" },
}

local writes = {
    send = function(conn, data) return conn:send(data) end,
    table = function(conn, data) return conn:send { data, { data } } end,
    corked = function(conn, data)
        conn:cork()
        return conn:send(data)
    end,
    file = function(conn, data)
        local path = tasks.file(data)
        local file = assert(quoll.open(path))
        os.remove(path)
        return conn:sendfile(file)
    end,
}

for name, kind in pairs(kinds) do
    describe("a reset of " .. name, function()
        helper.gates()

        it("in mid-read gives what came before", in_task(function()
            for method, read in pairs(reads) do
                local client, server = connect(kind)
                pair.deliver(server, client, "ab")
                local reading = quoll.spawn(read[1], client)
                quoll.yield()
                kind[2](server)
                local data, err, partial, code = reading:wait(pair.PATIENCE)
                assert.same({ method, nil, WORDS, read[2], "ECONNRESET" },
                    { method, data, err, partial, code })
                assert.is_nil((client:receive(3)))
                client:close()
            end
        end))

        exact("in mid-write says how far it came", in_task(function()
            local data = ("x"):rep(16 * pair.MIB)
            for method, write in pairs(writes) do
                local client, server = connect(kind)
                client:setoption("sndbuf", 4096)
                local writing = quoll.spawn(write, client, data)
                quoll.yield()
                assert(kind.unread or server:peek(1))
                kind[2](server)
                local n, _, partial, code = writing:wait(pair.PATIENCE)
                assert.is_nil(n, method)
                assert.is_true(gone(code), method .. ": " .. tostring(code))
                assert.is_true(partial < 2 * #data, method)
                assert.is_nil((client:send "more"))
                client:close()
            end
        end))

        exact("ends a reader and a writer, each once", in_task(function()
            local client, server = connect(kind)
            client:setoption("sndbuf", 4096)
            local ends = 0
            local function counted(method, arg)
                local result = { method(client, arg) }
                ends = ends + 1
                return unpack(result, 1, 4)
            end
            local reader = quoll.spawn(counted, client.receive, 10)
            local writer = quoll.spawn(counted, client.send,
                ("x"):rep(16 * pair.MIB))
            quoll.yield()
            assert(kind.unread or server:peek(1))
            kind[2](server)
            local codes = { (select(4, reader:wait(pair.PATIENCE))),
                (select(4, writer:wait(pair.PATIENCE))) }
            assert.is_true(gone(codes[1]) and gone(codes[2]),
                table.concat(codes, " "))
            assert.equal(2, ends)
        end))
    end)
end

describe("a TLS peer that says goodbye and resets", function()
    helper.gates()

    exact("ends a send that waits", tls.with(function(client, server)
        client:setoption("sndbuf", 4096)
        local sending = quoll.spawn(client.send, client,
            ("x"):rep(16 * pair.MIB))
        local reading = quoll.spawn(client.receive, client, 10)
        quoll.yield()
        assert(server:peek(1))
        pair.reset(server)
        assert.equal("CLOSED", select(4, reading:wait(pair.PATIENCE)))
        local n, _, _, code = sending:wait(pair.PATIENCE)
        assert.is_nil(n)
        assert.is_true(gone(code), code)
        assert.is_nil((client:send "more"))
    end))
end)
