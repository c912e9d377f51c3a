-- A server under load: what breaks while it accepts, and what it costs.
local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local ffi = helper.ffi

local PATIENCE = pair.PATIENCE

local function connect(listener)
    local conn = assert(quoll.connect(listener:address(),
        { timeout = PATIENCE }))
    conn:settimeout(PATIENCE)
    return conn
end

local function close_all(conns)
    for _, conn in pairs(conns) do
        conn:close()
    end
end

-- Serves until fn(listener) has returned, which closes what it has opened.
local function served(handler, opts, fn)
    quoll.run(function()
        local listener = assert(quoll.listen("127.0.0.1:0", opts))
        local server = quoll.spawn(listener.serve, listener, function(conn)
            conn:settimeout(PATIENCE)
            handler(conn)
        end)
        fn(listener)
        listener:close()
        server:wait(PATIENCE)
    end)
end

describe("peers that never write", function()
    helper.gates()

    it("keep nobody else out where each may have only some", function()
        served(function(conn)
            if conn:receive() then
                conn:send "answer\n"
            end
        end, { max_per_peer = 5 }, function(listener)
            local silent = {}
            for i = 1, 5 do
                silent[i] = connect(listener)
            end
            local refused = connect(listener)
            assert.equal("", refused:receive "*a")
            local other = assert(quoll.connect(listener:address(),
                { bind = "127.0.0.2:0", timeout = PATIENCE }))
            other:settimeout(PATIENCE)
            other:send "question\n"
            assert.equal("answer", other:receive())
            close_all(silent)
        end)
    end)

    it("fill a listener, which has room again when one leaves", function()
        local rejected = quoll.stats().connections.rejected
        served(function(conn)
            conn:send "hello\n"
            conn:receive "*a"
        end, { max_connections = 3 }, function(listener)
            local conns = {}
            for i = 1, 3 do
                conns[i] = connect(listener)
                assert.equal("hello", conns[i]:receive())
            end
            assert.equal("", connect(listener):receive "*a")
            assert.equal(rejected + 1, quoll.stats().connections.rejected)
            conns[1]:shutdown "send"
            assert.equal("", conns[1]:receive "*a")
            conns[4] = connect(listener)
            assert.equal("hello", conns[4]:receive())
            close_all(conns)
        end)
    end)
end)

describe("a listener", function()
    helper.gates()

    it("that its own handler closes lets the others end", function()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local address, clients = helper.address(listener:address()), {}
            for i = 1, 50 do
                clients[i] = sockets.connect(address)
            end
            local ended = 0
            local server = quoll.spawn(listener.serve, listener,
                function(conn)
                    listener:close()
                    conn:settimeout(PATIENCE)
                    conn:receive "*a"
                    ended = ended + 1
                end)
            while listener:address() do
                quoll.yield()
            end
            for _, fd in ipairs(clients) do
                ffi.C.close(fd)
            end
            server:wait(PATIENCE)
            assert.is_true(ended >= 1)
        end)
    end)

    -- It takes the second after which the kernel tries again.
    it("outlives a backlog that overflows", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.configure { accept_queue = 1, multi_accept = 1 }
            quoll.run(function()
                local listener = quoll.listen("127.0.0.1:0", { backlog = 1 })
                local clients = {}
                for i = 1, 8 do
                    clients[i] = quoll.spawn(function()
                        local conn = assert(quoll.connect(listener:address(),
                            { timeout = 8 }))
                        conn:send "x"
                        assert(conn:receive(1) == "x")
                        conn:close()
                    end)
                end
                quoll.yield()
                local server = quoll.spawn(quoll.serve, listener,
                    function(conn) conn:send(conn:receive(1)) end)
                for i = 1, 8 do clients[i]:wait() end
                listener:close()
                server:wait()
                print(quoll.stats().connections.accepted)
            end)
        ]]
        assert.same({ "8\n", "" }, { result.out, result.err })
    end)
end)

describe("limits of the process", function()
    local function waited_out(limit)
        return helper.script([[
            local quoll = require "quoll"
            local sockets = require "spec.support.sockets"
            local address = require("spec.helper").address
            local ffi, COUNT = require "ffi", 40
            quoll.configure { accept_delay = 10, log_level = "crit",
                worker_connections = arg[1] == "connections" and 5 or nil }
            quoll.run(function()
                local listener = quoll.listen "127.0.0.1:0"
                local to, fds, answered = address(listener:address()), {}, 0
                for i = 1, COUNT do
                    fds[i] = sockets.connect(to)
                    sockets.write(fds[i], ("%02d\n"):format(i))
                end
                if arg[1] == "descriptors" then
                    sockets.limit_descriptors(sockets.next_descriptor() + 4)
                end
                local server = quoll.spawn(listener.serve, listener,
                    function(conn)
                        conn:send { conn:receive(), "\n" }
                        answered = answered + 1
                        conn:receive "*a"
                    end)
                for i = 1, COUNT do
                    while answered < i do quoll.sleep(0.001) end
                    assert(arg[1] == "descriptors"
                        or quoll.stats().connections.live <= 5)
                    assert(sockets.read_all(fds[i], 3) == ("%02d\n"):format(i))
                    ffi.C.close(fds[i])
                end
                listener:close()
                server:wait()
                local stats = quoll.stats().connections
                print(answered, stats.live, stats.accept_pauses > 0)
            end)
        ]], { limit }, { timeout = helper.seconds(10) })
    end

    for _, limit in ipairs { "descriptors", "connections" } do
        it("are waited out, and nobody is lost: " .. limit, function()
            local result = waited_out(limit)
            assert.same({ "40\t0\ttrue\n", "" }, { result.out, result.err })
        end)
    end
end)

describe("9,900 connections, both ends of them", function()
    it("are closed in one turn", function()
        local count = (helper.sanitized or helper.injected) and 500 or 9900
        local result = helper.script([[
            local quoll = require "quoll"
            local count = tonumber(arg[1])
            require("spec.support.sockets").limit_descriptors(20000)
            quoll.run(function()
                local listener = quoll.listen(
                    "unix:@quoll-spec-load-" .. require("ffi").C.getpid())
                local conns, begun, ended = {}, 0, 0
                local server = quoll.spawn(listener.serve, listener,
                    function(conn)
                        begun = begun + 1
                        conn:receive "*a"
                        ended = ended + 1
                    end)
                for i = 1, count do
                    conns[i] = assert(quoll.connect(listener:address()))
                    while i - begun > 50 do quoll.yield() end
                end
                while begun < count do
                    quoll.yield()
                end
                local turns = quoll.stats().loop.turns
                for i = 1, count do conns[i]:close() end
                assert(quoll.stats().loop.turns == turns)
                listener:close()
                server:wait()
                print(ended == count, quoll.stats().connections.live)
            end)
        ]], { tostring(count) }, { timeout = helper.seconds(20) })
        assert.same({ "true\t0\n", "" }, { result.out, result.err })
    end)
end)

describe("a descriptor closed and taken again in one batch", function()
    helper.gates()

    -- Makes fd the lowest free one; what fills the rest.
    local function lowest(fd)
        local filled = {}
        while true do
            local free = ffi.C.dup(0)
            if free >= fd then
                ffi.C.close(free)
                return filled
            end
            filled[#filled + 1] = free
        end
    end

    it("does not see what came for the old one", function()
        served(function(conn)
            conn:send(conn:receive() .. "\n")
        end, {}, function(listener)
            local mine, other = { pair.connect() }, { pair.connect() }
            local late = quoll.spawn(function()
                return select(4, other[2]:receive(9))
            end)
            quoll.yield()
            mine[1]:send "x"
            other[1]:send "too late"
            assert.equal("x", mine[2]:receive(1))
            local fd = other[2]:getfd()
            other[2]:close()
            local filled = lowest(fd)
            local new = connect(listener)
            assert.equal(fd, new:getfd())
            new:send "mine\n"
            assert.equal("mine", new:receive())
            assert.equal("CLOSED", late:wait(PATIENCE))
            for _, d in ipairs(filled) do
                ffi.C.close(d)
            end
            close_all { mine[1], mine[2], other[1] }
        end)
    end)
end)

-- Prints what a hundred connections cost in system calls.
local COUNTED = [[
    local quoll = require "quoll"
    local inject = require "spec.support.scripted"
    local sockets = require "spec.support.sockets"
    local names = { "accept4", "close", "epoll_ctl", "setsockopt",
        "getsockopt", "getsockname", "getpeername", "fcntl" }
    local function calls()
        local n = {}
        for i, name in ipairs(names) do
            n[i] = tonumber(inject.ql_inject_calls(name))
        end
        return n
    end
    quoll.run(function()
        local listener = quoll.listen "127.0.0.1:0"
        local ended, fds = 0, {}
        local server = quoll.spawn(listener.serve, listener,
            function(conn)
                conn:receive "*a"
                conn:close()
                ended = ended + 1
            end)
        quoll.yield()
        local to = require("spec.helper").address(
            listener:address())
        local before = calls()
        for i = 1, 100 do fds[i] = sockets.connect(to) end
        while quoll.stats().connections.accepted < 100 do
            quoll.yield()
        end
        for i = 1, 100 do require("ffi").C.close(fds[i]) end
        while ended < 100 do quoll.sleep(0.001) end
        for i, n in ipairs(calls()) do
            print(names[i], n - before[i])
        end
        listener:close()
        server:wait()
    end)
]]

describe("an accepted connection", function()
    if not (helper.injected or helper.sanitized) then
        it("costs accept4, close and one epoll_ctl", function()
            local result = helper.script(COUNTED)
            local per = {}
            for name, n in result.out:gmatch "([%w_]+)\t(%d+)" do
                per[name] = tonumber(n)
            end
            assert.equal("", result.err)
            assert.is_true(per.accept4 >= 100 and per.accept4 <= 104)
            assert.equal(100, per.close)
            assert.is_true(per.epoll_ctl <= 100)
            assert.equal(0, per.setsockopt + per.getsockopt + per.fcntl
                + per.getpeername + per.getsockname)
        end)
    end
end)
