local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local PATIENCE = pair.PATIENCE

local function results(...)
    return { n = select("#", ...), ... }
end

local function connect(listener)
    local conn = assert(quoll.connect(listener:address(),
        { timeout = PATIENCE }))
    conn:settimeout(PATIENCE)
    return conn
end

-- A body for `it`: fn(listener) runs as a task.
local function listening(fn)
    return function()
        quoll.run(function()
            local listener = assert(quoll.listen("127.0.0.1:0"))
            fn(listener)
            listener:close()
        end)
    end
end

-- Starts fn(listener) as a server; its task.
local function serving(listener, fn, opts)
    return quoll.spawn(function()
        return results(listener:serve(fn, opts))
    end)
end

describe("quoll.net.listener", function()
    helper.gates()

    describe("listen", function()
        it("says where TLS is an option", function()
        pair.raises(function()
            quoll.listen("127.0.0.1:0", { tls = {} })
        end, "listener_spec.lua:%d+: .*'tls' is one of 'serve'")
    end)

    it("tells where", listening(function(listener)
            assert.matches("^127%.0%.0%.1:%d+$", listener:address())
            listener:close()
            assert.same(results(nil, "closed", "CLOSED"),
                results(listener:address()))
        end))

        it("takes the name of a host, at an address of this machine", function()
            nameserver.with(function(query)
                local answers = {}
                for i, ip in ipairs(query.type == "A"
                    and { "192.0.2.1", "127.0.0.9" } or {}) do
                    answers[i] = { query.name, "A", 60, ip }
                end
                return nameserver.reply(query, { answers = answers })
            end, function()
                local listener = assert(quoll.listen("one.test:0"))
                assert.matches("^127%.0%.0%.9:%d+$", listener:address())
                local _, _, code = quoll.listen("one.test:"
                    .. listener:address():match "%d+$")
                assert.equal("EADDRINUSE", code)
                listener:close()
            end)
        end)

        it("fails with words and a code", listening(function(listener)
            assert.same(results(nil, "address already in use", "EADDRINUSE"),
                results(quoll.listen(listener:address())))
            local _, err, code = quoll.listen("127.0.0.1:x")
            assert.matches("^bad address '127.0.0.1:x'", err)
            assert.equal("EINVAL", code)
            assert.same(results(nil, "host not found", "ENOTFOUND"),
                results(quoll.listen("nowhere.invalid:0")))
        end))

        it("takes IPv6 and unix sockets", function()
            quoll.run(function()
                for _, address in ipairs { "[::1]:0", "unix:@quoll-spec-"
                    .. helper.ffi.C.getpid() } do
                    local client, server = pair.connect(address)
                    client:send("hello")
                    assert.equal("hello", server:receive(5))
                end
            end)
        end)

        it("refuses bad options", function()
            pair.raises(function()
                quoll.listen("127.0.0.1:0", { backlogg = 1 })
            end, "listener_spec.lua:%d+: .*no option 'backlogg'")
            assert.error_matches(function()
                quoll.listen("127.0.0.1:0", { backlog = 0 })
            end, "bad argument 'backlog' to 'listen'")
            assert.error_matches(function()
                quoll.listen(80)
            end, "bad argument 'address' to 'listen'")
        end)
    end)

    describe("accept", function()
        it("times out", listening(function(listener)
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(listener:accept(0)))
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(listener:accept(0.01)))
        end))

        it("is woken by close", listening(function(listener)
            local tasks = {}
            for i = 1, 3 do
                tasks[i] = quoll.spawn(function()
                    return results(listener:accept())
                end)
            end
            quoll.yield()
            listener:close()
            for i = 1, 3 do
                assert.same(results(nil, "closed", "CLOSED"),
                    tasks[i]:wait(PATIENCE))
            end
            assert.same(results(nil, "closed", "CLOSED"),
                results(listener:accept()))
        end))

        it("serves who waits first first", listening(function(listener)
            local order, tasks = {}, {}
            for i = 1, 4 do
                tasks[i] = quoll.spawn(function()
                    assert(listener:accept(PATIENCE))
                    order[#order + 1] = i
                end)
            end
            quoll.yield()
            for _ = 1, 4 do
                connect(listener)
            end
            for i = 1, 4 do
                tasks[i]:wait(PATIENCE)
            end
            assert.same({ 1, 2, 3, 4 }, order)
        end))

        it("loses no connection when it is cancelled",
            listening(function(listener)
                local task = quoll.spawn(function()
                    listener:accept()
                end)
                quoll.yield()
                task:cancel()
                local conn = connect(listener)
                local server = assert(listener:accept(PATIENCE))
                conn:send("x")
                assert.equal("x", server:receive(1))
            end))

        it("goes on to the next when the first is cancelled",
            listening(function(listener)
                local first = quoll.spawn(function()
                    listener:accept()
                end)
                local second = quoll.spawn(function()
                    return listener:accept(PATIENCE) ~= nil
                end)
                quoll.yield()
                first:cancel()
                local conn = connect(listener)
                assert.is_true(second:wait(PATIENCE))
                conn:close()
            end))

        it("refuses a bad timeout", listening(function(listener)
            pair.raises(function()
                listener:accept(-1)
            end, "listener_spec.lua:%d+: bad argument 'timeout' to 'accept'")
        end))
    end)

    describe("serve", function()
        local function echo(conn)
            for chunk in conn:chunks() do
                conn:send(chunk)
            end
        end

        it("runs a task per connection until the listener closes",
            listening(function(listener)
                local server = serving(listener, echo)
                local conns = {}
                for i = 1, 10 do
                    conns[i] = connect(listener)
                    conns[i]:send("hello " .. i .. "\n")
                end
                for i = 10, 1, -1 do
                    assert.equal("hello " .. i, conns[i]:receive())
                    conns[i]:close()
                end
                listener:close()
                assert.same(results(), server:wait(PATIENCE))
            end))

        it("closes the connection when the handler ends",
            listening(function(listener)
                serving(listener, function(conn)
                    conn:send("bye")
                end)
                assert.equal("bye", connect(listener):receive("*a"))
            end))

        it("has at most max handlers at work", listening(function(listener)
            local now, most = 0, 0
            serving(listener, function(conn)
                now = now + 1
                most = math.max(most, now)
                conn:receive(1)
                now = now - 1
            end, { max = 2 })
            local conns = {}
            for i = 1, 6 do
                conns[i] = connect(listener)
            end
            for i = 1, 6 do
                conns[i]:send("x")
                assert.equal("", conns[i]:receive("*a"))
            end
            assert.equal(2, most)
        end))

        it("gives a handler's error to onerror and goes on",
            listening(function(listener)
                local failures = {}
                serving(listener, function(conn)
                    error("failed " .. conn:receive(), 0)
                end, {
                    onerror = function(err, traceback)
                        failures[#failures + 1] = err
                        assert.matches("listener_spec.lua", traceback)
                    end,
                })
                for i = 1, 2 do
                    local conn = connect(listener)
                    conn:send(i .. "\n")
                    assert.equal("", conn:receive("*a"))
                end
                assert.same({ "failed 1", "failed 2" }, failures)
            end))

        it("gives onerror an error that cannot be shown",
            listening(function(listener)
                local failure
                local broken = setmetatable({}, {
                    __tostring = function() error "broken" end })
                serving(listener, function() error(broken) end, {
                    onerror = function(err, traceback)
                        failure = err
                        assert.matches("cannot be shown", traceback)
                    end,
                })
                assert.equal("", connect(listener):receive("*a"))
                assert.equal(broken, failure)
            end))

        it("logs the handler's error, too, when onerror raises", function()
            local result = helper.script [[
                local quoll = require "quoll"
                quoll.run(function()
                    local l = assert(quoll.listen "127.0.0.1:0")
                    quoll.spawn(l.serve, l, function()
                        error "of the handler"
                    end, { onerror = function() error "of onerror" end })
                    print(quoll.connect(l:address()):receive "*a" == "")
                    l:close()
                end)
            ]]
            assert.equal("true\n", result.out, result.err)
            assert.matches("%[error%] %d+: serve: a handler failed: "
                .. "[^\n]*: of the handler\n\tstack traceback:\n", result.err)
            assert.matches("%[error%] %d+: task %d+ failed: [^\n]*: of onerror"
                .. "\n\tstack traceback:\n", result.err)
        end)

        it("ends with its task", listening(function(listener)
            local server = serving(listener, echo)
            local conn = connect(listener)
            conn:send("x")
            assert.equal("x", conn:receive(1))
            server:cancel()
            assert.equal("cancelled", select(2, server:wait(PATIENCE)))
            assert.same(results(nil, "closed", "", "CLOSED"),
                results(conn:receive(1)))
        end))

        it("raises when it cannot listen", listening(function(listener)
            local address = listener:address()
            pair.raises(function()
                quoll.serve(address, echo)
            end, "listener_spec.lua:%d+: cannot listen on .*: "
                .. "address already in use")
            assert.error_matches(function()
                quoll.serve(address, "echo")
            end, "bad argument 'fn' to 'serve'")
            pair.raises(function()
                quoll.serve(3, echo)
            end, "listener_spec.lua:%d+: bad argument 'where' to 'serve' "
                .. "%(an address or a listener expected, got 3%)")
            pair.raises(function()
                listener.serve({}, echo)
            end, "listener_spec.lua:%d+: bad argument 'where' to 'serve'")
            assert.error_matches(function()
                listener:serve(echo, { max = 0 })
            end, "bad argument 'max' to 'serve'")
        end))
    end)
end)
