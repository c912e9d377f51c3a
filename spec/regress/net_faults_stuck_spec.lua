-- A peer that never reads, and one that never writes: the wait can be limited,
-- cancelled and closed, memory stays bounded, and the others go on.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"
local tls = require "spec.support.tls_pair"

local DATA = ("0123456789abcdef"):rep(pair.MIB) -- more than any buffer holds
local SOON = helper.seconds(0.05)
local exact = helper.injected and pending or it -- a byte at a time none is full

local function in_task(fn)
    return function() tasks.run(fn, 20) end
end

-- A program that neither reads its stdin nor writes to its stdout: what we
-- write to, read from, and an end of it.
local function program()
    local p = assert(quoll.process.exec({ "sleep", "100" },
        { stdin = "pipe", stdout = "pipe", grace = 0.1 }))
    return p.stdin, p.stdout, function() p:close() end
end

-- What to write to, what to read from, and what ends it.
local function ends(connect)
    return function(address)
        local client, server = connect(address)
        return client, client, function() server:close() end
    end
end

local kinds = {
    tcp = ends(pair.connect),
    tls = ends(function() return tls.connect() end),
    unix = ends(function() return pair.connect(pair.name()) end),
    program = program,
}

-- fn() while another task makes its rounds, which must go on.
local function beside(fn)
    local rounds, over = 0, false
    local other = quoll.spawn(function()
        local a, b = pair.connect()
        repeat
            assert(a:send "ping")
            assert(b:receive(4) == "ping")
            rounds = rounds + 1
            quoll.sleep(0.001)
        until over
        return true
    end)
    fn()
    assert.is_true(rounds > 0)
    over = true
    assert.is_true(other:wait(pair.PATIENCE))
end

-- A task that is in the middle of it.
local function waiting(method, conn, arg)
    local task = quoll.spawn(method, conn, arg)
    quoll.sleep(0.002)
    assert.equal("waiting", task:status())
    return task
end

for name, make in pairs(kinds) do
    describe("never reads: " .. name, function()
        helper.gates()

        exact("a send ends by its timeout", in_task(function()
            local to, _, done = make()
            beside(function()
                to:settimeout(SOON)
                local n, err, partial, code = to:send(DATA)
                assert.same({ nil, "timeout", "TIMEOUT" }, { n, err, code })
                assert.is_true(partial > 0 and partial < #DATA)
            end)
            -- What was sent has no end: nothing may follow it.
            assert.equal("CLOSED", select(4, to:send "more"))
            done()
        end))

        exact("a send is cancelled", in_task(function()
            local to, _, done = make()
            local sending = waiting(to.send, to, DATA)
            beside(function()
                quoll.sleep(0.01)
                assert.is_true(sending:cancel())
                assert.equal("CANCELLED",
                    select(3, sending:wait(pair.PATIENCE)))
            end)
            assert.equal("CLOSED", select(4, to:send "more"))
            done()
        end))

        exact("a send ends with close, which is at once", in_task(function()
            local to, _, done = make()
            local sending = waiting(to.send, to, DATA)
            assert.is_true(to:close())
            local n, err, _, code = sending:wait(pair.PATIENCE)
            assert.same({ nil, "closed", "CLOSED" }, { n, err, code })
            done()
        end))

        exact("memory is bounded, also when it is asked for much",
            in_task(function()
                local to, _, done = make()
                to:settimeout(0)
                to:cork()
                collectgarbage()
                local before = collectgarbage "count"
                local taken = 0
                while taken < #DATA do
                    local n, _, _, code = to:send(DATA:sub(1, 1024))
                    if not n then
                        assert.equal("TIMEOUT", code)
                        break
                    end
                    taken = taken + n
                end
                assert.is_true(taken < #DATA)
                collectgarbage()
                assert.is_true(collectgarbage "count" - before < 512)
                to:close()
                done()
            end))
    end)

    describe("never writes: " .. name, function()
        helper.gates()

        it("a read ends by its timeout, and can be made again",
            in_task(function()
                local _, from, done = make()
                beside(function()
                    from:settimeout(SOON / 5)
                    for _, what in ipairs { 1, "*l", "*a" } do
                        assert.same({ nil, "timeout", "", "TIMEOUT" },
                            { from:receive(what) })
                    end
                    assert.equal("TIMEOUT", select(4, from:peek(1)))
                    assert.equal("TIMEOUT", select(3, from:idle()))
                end)
                done()
            end))

        it("a read is cancelled, and ends with close", in_task(function()
            local _, from, done = make()
            from:settimeout()
            local reading = waiting(from.receive, from, 1)
            assert.is_true(reading:cancel())
            assert.equal("CANCELLED", select(3, reading:wait(pair.PATIENCE)))
            reading = waiting(from.receive, from, 1)
            assert.is_true(from:close())
            assert.same({ nil, "closed", "", "CLOSED" },
                { reading:wait(pair.PATIENCE) })
            done()
        end))
    end)
end

describe("a peer that reads now and then", function()
    helper.gates()

    exact("keeps a send alive for longer than its timeout", in_task(function()
        local client, server = pair.connect(pair.name())
        local limit = helper.seconds(0.1)
        local data = DATA:sub(1, 2 * pair.MIB)
        client:settimeout(limit)
        local sending = quoll.spawn(client.send, client, data)
        local stop, size = quoll.now() + 2 * limit, 0
        while quoll.now() < stop do
            size = size + #assert(server:receiveany(16384))
            quoll.sleep(limit / 20)
        end
        assert.equal("waiting", sending:status())
        assert(server:receive(#data - size))
        assert.equal(#data, sending:wait(pair.PATIENCE))
    end))

    exact("gets what was sent before it looked, in order", in_task(function()
        for _, make in ipairs { pair.connect, tls.connect } do
            local client, server = make()
            local sending = waiting(client.send, client, DATA)
            quoll.sleep(0.02)
            assert.equal(DATA, server:receive(#DATA))
            assert.equal(#DATA, sending:wait(pair.PATIENCE))
        end
    end))
end)

describe("many peers that never read", function()
    helper.gates()

    exact("share what is sent to them", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function resident()
                for line in io.lines "/proc/self/status" do
                    local kib = line:match "^VmRSS:%s*(%d+)"
                    if kib then return tonumber(kib) end
                end
            end
            quoll.run(function()
                local data = ("x"):rep(16 * 1024 * 1024)
                local listener = quoll.listen("127.0.0.1:0",
                    { options = { sndbuf = 4096, rcvbuf = 4096 } })
                local sending = {}
                local before = resident()
                for i = 1, 100 do
                    local client = quoll.connect(listener:address())
                    local server = listener:accept()
                    sending[i] = quoll.spawn(server.send, server, data)
                    quoll.sleep(0)
                end
                print(resident() - before < 100 * 64)
                for i = 1, 100 do
                    sending[i]:cancel()
                    sending[i]:wait()
                end
            end)
            print(quoll.stats().connections.live)
        ]]
        assert.equal(0, result.code, result.err)
        if not helper.sanitized and not helper.collecting then
            assert.equal("true\n0\n", result.out)
        end
    end)
end)
