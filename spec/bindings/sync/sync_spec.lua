local helper = require "spec.helper"
local quoll = require "quoll"
local sync = quoll.sync

describe("the objects of quoll.sync", function()
    helper.gates()

    it("belong to no task", function()
        local ch = quoll.run(function()
            local made = sync.channel(1)
            quoll.spawn(function() made:send(1) end):wait()
            sync.event():close()
            return { made }
        end)[1]
        assert.equal(1, ch:receive(0))
    end)

    it("belong to a task that asks for it", function()
        local s = sync.semaphore(1)
        quoll.run(function() s:own() end)
        assert.same({ nil, "closed", "OWNER_ENDED" }, { s:acquire() })
    end)

    it("are left waiting when the script ends", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local sync = quoll.sync
            local kept = { sync.channel(), sync.semaphore(1), sync.event(),
                sync.mutex() }
            kept[2]:acquire()
            kept[4]:lock()
            quoll.spawn(function() kept[1]:receive() end)
            quoll.spawn(function() sync.channel():send(1) end)
            quoll.spawn(function() kept[2]:acquire() end)
            quoll.spawn(function() kept[3]:wait() end)
            quoll.spawn(function() kept[4]:lock() end)
            quoll.yield()
            collectgarbage()
            io.write("end\n")
        ]]
        assert.equal("end\n", result.out)
        assert.matches("5 tasks were alive", result.err)
        assert.equal(0, result.code)
    end)

    it("are used by finalisers, also when the state closes", function()
        local result = helper.script [[
            local early = newproxy(true)
            local quoll = require "quoll"
            local ch, s = quoll.sync.channel(9), quoll.sync.semaphore(9)
            local e, m = quoll.sync.event(), quoll.sync.mutex()
            local offer = require("quoll.core").channel.offer
            s:acquire(9)
            m:lock()
            local function use()
                pcall(offer, ch, 1)
                pcall(s.release, s)
                e:set()
                e:clear()
                pcall(m.unlock, m)
                pcall(quoll.sync.channel, 1)
            end
            getmetatable(early).__gc = use
            local late = newproxy(true)
            getmetatable(late).__gc = use
            quoll.spawn(function() while true do e:wait() end end)
            quoll.spawn(function() while true do ch:receive() end end)
            quoll.spawn(function() m:lock() s:acquire(9) end)
            for i = 1, 1000 do
                getmetatable(newproxy(true)).__gc = use
                ch:send({}, 0)
                quoll.yield()
            end
            io.write("end\n")
        ]]
        assert.equal("end\n", result.out)
        assert.equal(0, result.code)
    end)
end)
