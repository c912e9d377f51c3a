local helper = require "spec.helper"
local files = require "spec.support.files"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.sockets"

-- More than the two sockets' buffers hold.
local SIZE = 16 * files.MIB + 777
local data = files.bytes(SIZE)
local TCP_INFO, DATA_SEGS_IN = 11, 38 -- the latter in words of tcp_info
local path

local function fresh()
    path = files.make(data)
end

local function remove()
    os.remove(path)
end

local function open(mode)
    return assert(quoll.open(path, mode))
end

-- What sendfile returns in a task of its own, and the task.
local function start(conn, ...)
    local args = { ... }
    return quoll.spawn(function()
        return conn:sendfile(unpack(args))
    end)
end

-- Everything up to the end of the stream or a reset.
local function drain(conn)
    local parts = {}
    repeat
        local part = conn:receiveany(65536)
        parts[#parts + 1] = part
    until not part
    return table.concat(parts)
end

-- Until part of it has come and the rest waits: it may be read from the disk
-- first. What has come stays unread.
local function until_under_way(task, client)
    client:settimeout(pair.PATIENCE)
    assert.equal(data:sub(1, 1), client:peek(1))
    assert.equal("waiting", task:status())
end

-- A read that a transfer has left is counted until the disk has answered: the
-- page cache may have lost a part of the file.
local function reads_end()
    quoll.deadline(pair.PATIENCE, function()
        while quoll.stats().files.reads > 0 do
            quoll.sleep(0.001)
        end
    end)
    assert.equal(0, quoll.stats().files.reads)
end

-- How many segments with data have come.
local function segments(conn)
    local info = helper.ffi.new "uint32_t[64]"
    local size = helper.ffi.new("socklen_t[1]", 256)
    assert(helper.ffi.C.getsockopt(conn:getfd(), sockets.IPPROTO_TCP, TCP_INFO,
        info, size) == 0)
    return info[DATA_SEGS_IN]
end

describe("conn:sendfile", function()
    helper.gates()
    before_each(fresh)
    after_each(remove)

    for _, mode in ipairs { "r", "rd" } do
        for _, cold in ipairs { false, true } do
            it(("sends a file, mode %s%s"):format(mode, cold and ", cold"
                or ""), pair.with(function(client, server)
                    local prepare = cold and files.evict or files.warm
                    prepare(path)
                    local sender = start(server, open(mode))
                    assert.is_true(client:receive(SIZE) == data)
                    assert.equal(SIZE, sender:wait(pair.PATIENCE))
                end))
        end
    end

    it("sends a part of it", pair.with(function(client, server)
        local file = open()
        for _, part in ipairs { { 0, 1 }, { 4095, 2 }, { 100, 9000 } } do
            local offset, n = unpack(part)
            local sender = start(server, file, offset, n)
            assert.equal(data:sub(offset + 1, offset + n), client:receive(n))
            assert.equal(n, sender:wait(pair.PATIENCE))
        end
        local sender = start(server, file, SIZE - 5)
        assert.equal(data:sub(-5), client:receive(5))
        assert.equal(5, sender:wait(pair.PATIENCE))
        assert.equal(0, file:seek())
    end))

    it("sends what there is, and no more", pair.with(function(client, server)
        local file = open()
        assert.equal(0, server:sendfile(file, 0, 0))
        assert.equal(0, server:sendfile(file, SIZE))
        assert.equal(0, server:sendfile(file, SIZE + 1000, 5))
        assert.equal(3, server:sendfile(file, SIZE - 3, 2 ^ 52))
        assert.equal(data:sub(-3), client:receive(3))
        assert.equal(1, server:send("x"))
        assert.equal("x", client:receive(1))
    end))

    it("goes on between sends", pair.with(function(client, server)
        local file = open()
        server:send("head")
        local sender = start(server, file)
        assert.is_true(client:receive(SIZE + 4) == "head" .. data)
        sender:wait(pair.PATIENCE)
        server:send("tail")
        assert.equal("tail", client:receive(4))
    end))

    it("sends what is gathered in one segment with it", function()
        if helper.injected then
            return
        end
        quoll.run(function()
            local file, tries = open(), 0
            repeat -- the kernel waits for more for 0.2 s
                tries = tries + 1
                assert(tries < 20)
                local client, server = pair.connect()
                assert(server:cork())
                assert(server:send "head")
                assert.equal(1000, server:sendfile(file, 0, 1000))
                assert.equal("head" .. data:sub(1, 1000), client:receive(1004))
                local n = segments(client)
                client:close()
                server:close()
            until n == 1
        end)
    end)

    it("sends a growing file as long as it was", pair.with(
        function(client, server)
            local sender = start(server, open())
            until_under_way(sender, client)
            files.write(path, "more", SIZE)
            assert.is_true(client:receive(SIZE) == data)
            assert.equal(SIZE, sender:wait(pair.PATIENCE))
        end))

    it("waits for nobody who writes already", pair.with(
        function(client, server)
            local file = open()
            local sender = start(server, file)
            until_under_way(sender, client)
            local busy = { nil, "busy writing", 0, "BUSY" }
            assert.same(busy, { server:sendfile(file) })
            assert.same(busy, { server:send("x") })
            assert.is_true(client:receive(SIZE) == data)
            sender:wait(pair.PATIENCE)
        end))

    it("is refused what is no file and no number", pair.with(
        function(_, server)
            local file = open()
            for _, case in ipairs { { "file", {} }, { "file", server, 0 },
                { "offset", file, -1 }, { "n", file, 0, 1.5 } } do
                pair.raises(function()
                    server:sendfile(unpack(case, 2))
                end, "sendfile_spec.lua:%d+: bad argument '" .. case[1]
                    .. "' to 'sendfile'")
            end
            file:close()
            local _, err, sent, code = server:sendfile(file)
            assert.same({ path .. ": closed", 0, "CLOSED" },
                { err, sent, code })
        end))

    it("in a cancelled task sends nothing", pair.with(function(client, server)
        local file, sent = open()
        local task = quoll.spawn(function()
            pcall(quoll.sleep, 60)
            sent = pcall(server.sendfile, server, file)
        end)
        quoll.yield()
        task:cancel()
        task:wait(pair.PATIENCE)
        assert.is_false(sent)
        server:send("x")
        assert.equal("x", client:receive(1))
    end))
end)

describe("a transfer that ends early", function()
    helper.gates()
    before_each(fresh)
    after_each(remove)

    -- Its results, after `cut` has been done to it in the middle.
    local function ended(client, server, cut)
        local file = open()
        local results
        local task = quoll.spawn(function()
            results = { n = 4, server:sendfile(file) }
        end)
        until_under_way(task, client)
        cut(file, task)
        task:wait(pair.PATIENCE)
        reads_end()
        return results, file, client
    end

    -- The receiver has exactly the bytes that the sender says.
    local function told(client, server, sent)
        assert.is_true(sent > 0 and sent < SIZE)
        assert.same({ nil, "closed", 0, "CLOSED" }, { server:send("x") })
        server:close()
        assert.is_true(drain(client) == data:sub(1, sent))
    end

    it("because the file is cut says so, and how far it came", pair.with(
        function(client, server)
            local task
            local received = ""
            local results = ended(client, server, function(_, t)
                task = t
                files.truncate(path, 10)
                while task:status() == "waiting" do
                    received = received .. client:receiveany(65536)
                end
            end)
            local sent = results[3]
            assert.same({ path .. ": no data available", "ENODATA" },
                { results[2], results[4] })
            server:close()
            assert.is_true(received .. drain(client) == data:sub(1, sent))
        end))

    it("because the file is closed", pair.with(function(client, server)
        local results = ended(client, server, function(file)
            file:close()
        end)
        assert.same({ path .. ": closed", "CLOSED" },
            { results[2], results[4] })
        told(client, server, results[3])
    end))

    it("because the connection is closed", pair.with(function(client, server)
        local results = ended(client, server, function()
            server:close()
        end)
        assert.same({ "closed", "CLOSED" }, { results[2], results[4] })
        assert.is_true(results[3] > 0)
        assert.is_true(drain(client) == data:sub(1, results[3]))
    end))

    it("because the peer resets", pair.with(function(client, server)
        local results = ended(client, server, function()
            pair.reset(client)
        end)
        assert.is_true(results[4] == "ECONNRESET" or results[4] == "EPIPE")
        assert.is_true(results[3] > 0 and results[3] < SIZE)
    end))

    it("because the peer does not read: a timeout", pair.with(
        function(client, server)
            files.warm(path) -- so that only the peer is waited for
            server:settimeout(0.05)
            local _, err, sent, code = server:sendfile(open())
            assert.same({ "timeout", "TIMEOUT" }, { err, code })
            told(client, server, sent)
        end))

    it("because its task is cancelled", pair.with(function(client, server)
        local task = start(server, open())
        until_under_way(task, client)
        task:cancel()
        assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
        assert.same({ nil, "closed", 0, "CLOSED" }, { server:send("x") })
        client:close()
    end))

    it("because its reads are cancelled leaves nothing", pair.with(
        function(_, server)
            local task = start(server, open "rd")
            quoll.yield()
            assert.is_true(quoll.stats().files.reads > 0)
            task:cancel()
            task:wait()
            reads_end()
        end))
end)
