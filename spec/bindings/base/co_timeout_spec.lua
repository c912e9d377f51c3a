local helper = require "spec.helper"

describe("the timeout of a wait", function()
    -- What a script prints that has a clock of its own: pass(s). Its bytes come
    -- when they are sent, also under `make test-inject`.
    local function printed(source)
        local result = helper.script([[
            local ffi = require "ffi"
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            local passed = 0
            local function pass(s)
                passed = passed + s
                inject.ql_inject_clock(passed * 1e9)
            end
            local function reads()
                return tonumber(inject.ql_inject_calls("recvmsg"))
            end
            inject.ql_inject_clock_freeze(1)
            quoll.run(function()
                local listener = quoll.listen("unix:@quoll-co-"
                    .. ffi.C.getpid())
                local client = quoll.connect(listener:address())
                local server = listener:accept()
                local reader = quoll.spawn(function()
                    server:settimeout(1)
                    return server:receive(3)
                end)
                quoll.yield()
                quoll.yield()
        ]] .. source .. "\nend)", nil, { env = { LD_PRELOAD = "" } })
        assert.equal(0, result.code, result.err)
        return result.out
    end

    it("does not end it in the turn in which bytes came", function()
        assert.equal("waiting\tabc\n", printed [[
            for _, byte in ipairs { "a", "b" } do
                client:send(byte)
                pass(2)
                quoll.yield()
                quoll.yield()
            end
            local status = reader:status()
            client:send("c")
            print(status, reader:wait())
        ]])
    end)

    it("begins anew when something moved", function()
        assert.equal("waiting\tnil\ttimeout\ta\tTIMEOUT\n", printed [[
            pass(0.6)
            client:send("a")
            quoll.yield()
            quoll.yield()
            pass(0.6)
            quoll.yield()
            quoll.yield()
            local status = reader:status()
            pass(0.6)
            print(status, reader:wait())
        ]])
    end)

    it("is not prolonged by events that bring nothing", function()
        assert.equal("true\tnil\ttimeout\t\tTIMEOUT\n", printed [[
            inject.ql_inject_fail("recvmsg", server:getfd(), 1, 0, 11)
            local before = reads()
            for _ = 1, 3 do
                pass(0.3)
                client:send("x")
                quoll.yield()
                quoll.yield()
            end
            local woken = reads() - before
            pass(0.3)
            quoll.yield()
            quoll.yield()
            print(woken >= 3, reader:wait(0))
        ]])
    end)
end)
