-- quoll as a part of a cqueues controller, and controllers in tasks of quoll's.
local helper = require "spec.helper"
local flood = require "spec.support.flood"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local socket = require "cqueues.socket"

-- A controller in which quoll runs until close() is called.
local function embed(cq)
    local reactor = { pollfd = assert(quoll.fd()), events = "r" }
    local closed, closing = false, condition.new()
    cq:wrap(function()
        while not closed do
            reactor.timeout = assert(quoll.step())
            cqueues.poll(reactor, closing)
        end
    end)
    return function()
        closed = true
        closing:signal()
    end
end

local function run(fn)
    local cq = cqueues.new()
    local close = embed(cq)
    local ok, err
    cq:wrap(function()
        ok, err = pcall(fn, close)
        close()
    end)
    assert(cq:loop(helper.seconds(10)))
    assert.is_true(cq:empty())
    assert(ok, err)
end

describe("quoll under cqueues", function()
    helper.gates()

    it("serves its clients", function()
        run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local server = quoll.spawn(listener.serve, listener, function(conn)
                for line in conn:lines() do
                    conn:send { line:upper(), "\n" }
                end
            end)
            local client = socket.connect("127.0.0.1",
                tonumber(listener:address():match ":(%d+)"))
            client:setmode("bn", "bn")
            for _, word in ipairs { "one", "two" } do
                client:write(word, "\n")
                assert.equal(word:upper(), client:read "*l")
            end
            client:close()
            server:cancel()
            listener:close()
        end)
        quoll.run()
    end)

    it("is woken by what its coroutines do to it", function()
        local order = {}
        run(function()
            local ready = quoll.sync.event()
            quoll.spawn(function()
                order[#order + 1] = "spawned"
                ready:wait()
                order[#order + 1] = "woken"
            end)
            while #order < 1 do
                cqueues.sleep(0.001)
            end
            ready:set()
            while #order < 2 do
                cqueues.sleep(0.001)
            end
        end)
        assert.same({ "spawned", "woken" }, order)
    end)

    it("keeps its timers", function()
        local done
        run(function()
            quoll.timer.after(0.005, function() done = true end)
            while not done do
                cqueues.sleep(0.001)
            end
        end)
    end)

    it("is woken when its epoll set has been built anew", function()
        local fd = quoll.fd()
        local flooded, woken = condition.new(), nil
        run(function()
            quoll.spawn(function()
                flood()
                flooded:signal()
            end)
            flooded:wait()
            cqueues.sleep(0.001)
            quoll.spawn(function()
                woken = true
                flooded:signal()
            end)
            flooded:wait(helper.seconds(5))
        end)
        assert.is_true(woken)
        assert.equal(fd, quoll.fd())
    end)

    it("goes on by itself when the controller has ended first", function()
        local done
        run(function()
            quoll.spawn(function()
                quoll.sleep(0.01)
                done = true
            end)
        end)
        quoll.run()
        assert.is_true(done)
    end)
end)

-- A controller in the running task, until it is empty.
local function drive(cq)
    repeat
        local ok, why = cq:step(0)
        if not ok then
            return nil, why
        end
    until cq:empty() or not quoll.wait(cq)
    return true
end

describe("a controller in a task", function()
    helper.gates()

    local function order_of(fn)
        local order = {}
        fn(function(word) order[#order + 1] = word end)
        return order
    end

    it("runs beside other tasks", function()
        assert.same({ "cqueues", "quoll", "cqueues again" }, order_of(
            function(say)
                tasks.run(function()
                    local go = quoll.sync.event()
                    local signal = condition.new()
                    local cq = cqueues.new()
                    cq:wrap(function()
                        cqueues.sleep(0.002)
                        say "cqueues"
                        go:set()
                        signal:wait()
                        say "cqueues again"
                    end)
                    quoll.spawn(function()
                        go:wait()
                        say "quoll"
                        signal:signal()
                    end)
                    assert(drive(cq))
                end)
            end))
    end)

    it("talks to a server of quoll's", function()
        tasks.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local server = quoll.spawn(listener.serve, listener, function(conn)
                conn:send(conn:receive():upper() .. "\n")
            end)
            local cq, answer = cqueues.new(), nil
            cq:wrap(function()
                local client = socket.connect("127.0.0.1",
                    tonumber(listener:address():match ":(%d+)"))
                client:setmode("bn", "bn")
                client:write "hello\n"
                answer = client:read "*l"
                client:close()
            end)
            assert(drive(cq))
            assert.equal("HELLO", answer)
            server:cancel()
            listener:close()
        end)
    end)

    it("may hold another one", function()
        tasks.run(function()
            local outer, inner, done = cqueues.new(), cqueues.new(), nil
            inner:wrap(function()
                cqueues.sleep(0.002)
                done = true
            end)
            outer:wrap(function()
                assert(inner:loop())
            end)
            assert(drive(outer))
            assert.is_true(done)
        end)
    end)

    it("tells its errors", function()
        tasks.run(function()
            local cq = cqueues.new()
            cq:wrap(function()
                cqueues.sleep(0.001)
                error("oops", 0)
            end)
            local ok, why = drive(cq)
            assert.is_nil(ok)
            assert.matches("oops", why)
        end)
    end)

    it("is left by a deadline", function()
        tasks.run(function()
            local cq = cqueues.new()
            cq:wrap(cqueues.sleep, 60)
            local out = { quoll.deadline(0.005, drive, cq) }
            assert.same({ nil, "timeout", "DEADLINE" }, out)
            cq:close()
        end)
    end)

    it("is selected beside a channel", function()
        tasks.run(function()
            local cq, ch = cqueues.new(), quoll.sync.channel(1)
            cq:wrap(cqueues.sleep, 0.002)
            assert(cq:step(0))
            assert.equal("cq", quoll.sync.select({ cq = cq, ch = ch }, 5))
            assert(drive(cq))
            cq:wrap(cqueues.sleep, 60)
            assert(cq:step(0))
            ch:send(1)
            assert.equal("ch", quoll.sync.select({ cq = cq, ch = ch }, 5))
            cq:close()
        end)
    end)
end)
