local helper = require "spec.helper"
local quoll = require "quoll"
local ffi = helper.ffi

describe("quoll.step", function()
    helper.gates()

    it("makes one turn and tells when the next is due", function()
        local order = {}
        quoll.timer.after(0.02, table.insert, order, "timer")
        quoll.spawn(table.insert, order, "task")
        local wait = quoll.step()
        assert.same({ "task" }, order)
        assert.is_true(wait > 0 and wait <= 0.02)
        while #order == 1 do
            assert(quoll.step(helper.seconds(5)))
        end
        assert.same({ "task", "timer" }, order)
        assert.equal(math.huge, quoll.step(0))
    end)

    it("waits for events no longer than s", function()
        local start = quoll.now()
        assert.equal(math.huge, quoll.step(0.02))
        assert.is_true(quoll.now() - start >= 0.02)
        assert.equal(0, quoll.stats().loop.timers)
    end)

    it("tells 0 while tasks are ready", function()
        quoll.spawn(function()
            quoll.yield()
            quoll.yield()
        end)
        assert.equal(0, quoll.step())
        assert.equal(0, quoll.step())
        quoll.step()
        assert.equal(0, quoll.stats().tasks.live)
    end)

    it("serves under a loop of somebody else's", function()
        local got
        quoll.spawn(function()
            local listener = quoll.listen("127.0.0.1:0")
            local client = quoll.connect(listener:address())
            local conn = listener:accept(5)
            quoll.spawn(function()
                client:send("hello\n")
            end)
            got = conn:receive()
        end)
        local fds = ffi.new("struct pollfd[1]", { { fd = quoll.fd(),
            events = 1 } })
        local deadline = quoll.now() + helper.seconds(5)
        while not got and quoll.now() < deadline do
            local wait = quoll.step()
            ffi.C.poll(fds, 1, wait < 1 and math.ceil(wait * 1000) or 1000)
        end
        assert.equal("hello", got)
        quoll.run()
    end)

    it("may be made by the main chunk only", function()
        local ok, err = quoll.run(function()
            return pcall(function() quoll.step() end)
        end)
        assert.is_false(ok)
        assert.matches("step_spec.lua:%d+: quoll.step inside a task", err)
        assert.error_matches(function()
            quoll.step("x")
        end, "bad argument 's' to 'step'")
    end)

    it("leaves signals to who made the loop", function()
        local child = helper.start [[
            io.stdout:setvbuf "line"
            local quoll = require "quoll"
            quoll.spawn(function()
                print "ready"
                quoll.sleep(60)
            end)
            while true do quoll.step(0.1) end
        ]]
        assert.equal("ready", child:line())
        child:kill(15)
        assert.equal(15, helper.finish_script(child).signal)
    end)

    it("fails when the loop cannot turn", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local inject = require "spec.support.scripted"
            inject.ql_inject_fail("epoll_create1", -1, 1, 2, 24)
            print(quoll.fd())
            print(quoll.step())
            print(type(quoll.fd()), quoll.step())
        ]]
        assert.equal("nil\ttoo many open files\tEMFILE\n"
            .. "nil\ttoo many open files\tEMFILE\nnumber\tinf\n", result.out)
    end)
end)
