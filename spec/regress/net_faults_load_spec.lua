-- Many connections at once: descriptors that run out and come back, all closed
-- in one turn, listeners and descriptors that change under those who wait.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"

local function in_task(fn)
    return function() tasks.run(fn, 20) end
end

-- A server with few descriptors; it says where it listens, and at the end of
-- its input what became of it.
local SERVER = [[
    local quoll = require "quoll"
    local ffi = require "ffi"
    ffi.cdef "struct limit { uint64_t soft, hard; };"
    ffi.cdef "int setrlimit(int what, const struct limit *limit);"
    assert(ffi.C.setrlimit(7, ffi.new("struct limit", 60, 60)) == 0)
    quoll.run(function()
        local listener = quoll.listen("127.0.0.1:0", { backlog = 511 })
        quoll.stdout:send(listener:address() .. "\n")
        local serving = quoll.spawn(listener.serve, listener, function(conn)
            while true do
                local line = conn:receive()
                if not line then
                    return
                elseif line == "open" then
                    conn:send((select(3, quoll.open "LICENSE") or "ok") .. "\n")
                elseif line == "connect" then
                    local other, _, code = quoll.connect(listener:address())
                    conn:send((code or "ok") .. "\n")
                elseif line == "run" then
                    conn:send((select(3, quoll.process.exec { "true" })
                        or "ok") .. "\n")
                else
                    conn:send(line .. "\n")
                end
            end
        end)
        quoll.stdin:receive "*a"
        listener:close()
        serving:wait(5)
    end)
    local stats = quoll.stats()
    print(stats.connections.live, stats.loop.turns < 5000)
]]

local function ask(conn, question)
    assert(conn:send(question .. "\n"))
    return (conn:receive())
end

describe("descriptors that run out", function()
    helper.gates()

    it("are an error where one is asked for, and come back", in_task(function()
        local child = helper.start(SERVER)
        local address = assert(child:line())
        local clients = {}
        for i = 1, 200 do
            clients[i] = assert(quoll.connect(address))
            clients[i]:settimeout(pair.PATIENCE)
        end
        for i = 1, 30 do
            assert.equal("served", ask(clients[i], "served"))
        end
        clients[200]:send "in the backlog\n"
        for _ = 1, 10 do -- none is left: the others' are all accepted
            quoll.sleep(0.005)
            for _, question in ipairs { "open", "connect", "run" } do
                assert.equal("EMFILE", ask(clients[1], question))
            end
        end
        for i = 1, 199 do
            clients[i]:close()
        end
        assert.equal("in the backlog", clients[200]:receive())
        for _, question in ipairs { "open", "run", "connect" } do
            assert.equal("ok", ask(clients[200], question))
        end
        clients[200]:close()
        child:close_input()
        local result = helper.finish_script(child)
        assert.equal("2\ttrue\n", result.out) -- stdin and stdout
        local _, lines = result.err:gsub("\n", "")
        assert.is_true(lines <= 60, result.err) -- 10 a second of each kind
    end))
end)

describe("ten thousand connections", function()
    it("are closed in one turn", function()
        local result = helper.script([[
            local quoll = require "quoll"
            local N = 5000
            local codes = {}
            quoll.run(function()
                local listener = quoll.listen(arg[1])
                local all, readers = {}, {}
                for i = 1, N do
                    all[i] = assert(quoll.connect(listener:address()))
                    all[N + i] = assert(listener:accept(5))
                end
                for i = 1, 2 * N do
                    readers[i] = quoll.spawn(function()
                        local _, _, _, code = all[i]:receive(1)
                        codes[code] = (codes[code] or 0) + 1
                    end)
                end
                quoll.sleep(0.01)
                assert(quoll.stats().connections.live == 2 * N + 1)
                for i = 1, 2 * N do
                    assert(all[i]:close())
                end
                assert(quoll.stats().connections.live == 1)
                for i = 1, 2 * N do
                    readers[i]:wait()
                end
                print(codes.CLOSED)
            end)
            print(quoll.stats().connections.live, quoll.stats().loop.timers)
        ]], { pair.name() }, { timeout = 30 })
        assert.equal(0, result.code, result.err)
        assert.equal("10000\n0\t0\n", result.out)
        assert.equal("", result.err)
    end)

    it("are ended by their peers in one turn", function()
        local result = helper.script([[
            local quoll = require "quoll"
            local N = 5000
            local begun, ended = 0, 0
            quoll.run(function()
                local listener = quoll.listen "127.0.0.1:0"
                local serving = quoll.spawn(listener.serve, listener,
                    function(conn)
                        begun = begun + 1
                        local _, _, _, code = conn:receive(1)
                        assert(code == "CLOSED")
                        ended = ended + 1
                    end)
                local all = {}
                for i = 1, N do
                    all[i] = assert(quoll.connect(listener:address()))
                end
                while begun < N do
                    quoll.sleep(0.001)
                end
                for i = 1, N do
                    all[i]:close()
                end
                listener:close()
                serving:wait()
            end)
            print(ended, quoll.stats().connections.live)
        ]], nil, { timeout = 30 })
        assert.equal("5000\t0\n", result.out, result.err)
        assert.equal("", result.err)
    end)
end)

describe("a listener that is closed", function()
    helper.gates()

    it("while tasks accept and clients come", in_task(function()
        for round = 1, 20 do
            local listener = assert(quoll.listen "127.0.0.1:0")
            local address = listener:address()
            local codes = {}
            local accepting, connecting = {}, {}
            for i = 1, 4 do
                accepting[i] = quoll.spawn(function()
                    repeat
                        local conn, _, code = listener:accept(pair.PATIENCE)
                        codes[i] = code
                    until not conn
                end)
                connecting[i] = quoll.spawn(function()
                    for _ = 1, 5 do
                        local conn = quoll.connect(address)
                        if conn then
                            conn:close()
                        end
                    end
                end)
            end
            for _ = 1, round % 5 do
                quoll.yield()
            end
            listener:close()
            -- The place is free at once, and so are those who wait there.
            local again = assert(quoll.listen(address))
            for i = 1, 4 do
                accepting[i]:wait(pair.PATIENCE)
                connecting[i]:wait(pair.PATIENCE)
            end
            assert.same({ "CLOSED", "CLOSED", "CLOSED", "CLOSED" }, codes)
            assert(quoll.connect(again:address()))
            again:close()
        end
    end))

    it("by a handler, with clients that nobody has taken", in_task(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        local clients = {}
        for i = 1, 50 do
            clients[i] = assert(quoll.connect(listener:address()))
            clients[i]:settimeout(pair.PATIENCE)
        end
        local served = 0
        listener:serve(function(conn)
            served = served + 1
            listener:close()
            conn:send "last"
        end)
        local answers = 0
        for i = 1, 50 do
            if clients[i]:receive(4) == "last" then
                answers = answers + 1
            end
        end
        assert.is_true(served >= 1)
        assert.equal(served, answers)
    end))
end)

-- The connection has nothing to tell but what its own peer, the next of the
-- listener, sends.
local function quiet(conn, listener)
    conn:settimeout(0)
    assert.same({ nil, "timeout", "", "TIMEOUT" }, { conn:receive(1) })
    local server = assert(listener:accept(pair.PATIENCE))
    assert(server:send "new")
    conn:settimeout(pair.PATIENCE)
    assert.equal("new", conn:receive(3))
    server:close()
    conn:close()
end

describe("a descriptor that is used again in the same batch", function()
    helper.gates()

    it("tells its new owner nothing of the old one's events",
        in_task(function()
            local listener = assert(quoll.listen(pair.name()))
            local old, peers, fresh, fds = {}, {}, {}, {}
            local again = 0
            for i = 1, 40 do
                peers[i], old[i] = pair.connect()
                fds[old[i]:getfd()] = true
            end
            -- Whoever is woken first closes all the others, whose events are
            -- in the batch too, and opens others in their places.
            for i = 1, 40 do
                quoll.spawn(function()
                    local got = old[i]:receiveany(10)
                    if not got or fresh[1] then
                        return
                    end
                    for j = 1, 40 do
                        old[j]:close()
                    end
                    for j = 1, 40 do
                        fresh[j] = assert(quoll.connect(listener:address()))
                        again = again + (fds[fresh[j]:getfd()] and 1 or 0)
                        fresh[j]:disown()
                    end
                end)
            end
            quoll.yield()
            for i = 1, 40 do
                peers[i]:send "old"
            end
            while not fresh[40] do
                quoll.yield()
            end
            assert.is_true(again > 20)
            for j = 1, 40 do
                quiet(fresh[j], listener)
            end
        end))
end)
