local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle, drain = tasks.run, tasks.settle, tasks.drain
local channel = quoll.sync.channel

describe("a channel", function()
    helper.gates()

    it("keeps as many items as it has room for, in order", function()
        local ch = channel(3)
        for i = 1, 3 do
            assert.is_true(ch:send(i, 0))
        end
        assert.same({ nil, "timeout", "TIMEOUT" }, { ch:send(4, 0) })
        assert.equal(3, #ch)
        assert.same({ 1, 2, 3 }, drain(ch))
        assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0) })
        assert.equal(0, #ch)
    end)

    it("keeps nothing without a buffer", function()
        local ch = channel()
        assert.same({ nil, "timeout", "TIMEOUT" }, { ch:send(1, 0) })
        run(function()
            local sent = quoll.spawn(function() return ch:send "x" end)
            settle()
            assert.equal("waiting", sent:status())
            assert.equal("x", ch:receive(0))
            assert.is_true(sent:wait())
            local got = quoll.spawn(function() return ch:receive() end)
            settle()
            assert.is_true(ch:send(false, 0))
            assert.is_false(got:wait())
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:send(1, 0) })
        end)
    end)

    it("carries any value but nil", function()
        local ch = channel(1)
        for _, v in ipairs { false, 0, "", {}, ch, print } do
            ch:send(v, 0)
            assert.equal(v, ch:receive(0))
        end
        for _, v in ipairs { { ch }, { ch, nil, 1 } } do
            local ok, err = pcall(function() ch.send(unpack(v, 1, 3)) end)
            assert.is_false(ok)
            assert.matches("channel_spec.lua:%d+: bad argument 'v' to 'send' "
                .. "%(any value but nil expected", err)
        end
    end)

    it("allocates nothing for what need not wait", function()
        local ch = channel(1)
        local function exchange()
            for _ = 1, 1000 do
                ch:send(1, 0)
                ch:receive(0)
            end
        end
        local function grown()
            exchange()
            collectgarbage()
            collectgarbage "stop"
            local before = collectgarbage "count"
            exchange()
            local kib = collectgarbage "count" - before
            collectgarbage "restart"
            return kib
        end
        assert.truthy(grown() < 64)
        run(function()
            assert.truthy(grown() < 64)
            assert.truthy(quoll.coroutine.wrap(grown)() < 64)
        end)
    end)

    it("says how full it is", function()
        local ch = channel(8)
        ch:send(1, 0)
        assert.matches("^channel %(open, 1 of 8%): ", tostring(ch))
        ch:close()
        assert.matches("^channel %(closed, 1 of 8%): ", tostring(ch))
    end)

    it("refuses what is no channel, size or time", function()
        assert.is_false(pcall(channel, -1))
        assert.is_false(pcall(channel, 1.5))
        assert.is_false(pcall(channel, "3"))
        local ch = channel(1)
        assert.is_false(pcall(ch.send, {}, 1))
        assert.is_false(pcall(ch.receive, quoll.sync.event()))
        assert.is_false(pcall(ch.receive, ch, -1))
        assert.is_false(pcall(ch.send, ch, 1, "soon"))
    end)
end)

describe("waiters of a channel", function()
    helper.gates()

    -- 1,000 tasks that note their number when step() has ended.
    local function crowd(step)
        local order = {}
        for i = 1, 1000 do
            quoll.spawn(function()
                step(i)
                order[#order + 1] = i
            end)
        end
        settle()
        return order
    end

    local function in_order(order)
        assert.equal(1000, #order)
        for i = 1, 1000 do assert.equal(i, order[i]) end
    end

    for size = 0, 3 do
        it("receive in the order in which they came, size " .. size, function()
            run(function()
                local ch, got = channel(size), {}
                local order = crowd(function(i) got[i] = ch:receive() end)
                for i = 1, 1000 do ch:send(i) end
                settle()
                in_order(order)
                in_order(got)
            end, 20)
        end)

        it("send in the order in which they came, size " .. size, function()
            run(function()
                local ch, got = channel(size), {}
                local order = crowd(function(i) ch:send(i) end)
                for i = 1, 1000 do got[i] = ch:receive() end
                settle()
                in_order(order)
                in_order(got)
            end, 20)
        end)
    end

    it("are not overtaken by who comes later", function()
        run(function()
            local ch = channel()
            local first = quoll.spawn(function() return ch:receive() end)
            settle()
            ch:send(1)
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0) })
            assert.equal(1, first:wait())
        end)
    end)

    it("go on with what there was when it is closed", function()
        run(function()
            local ch = channel(2)
            local senders = {}
            for i = 1, 4 do
                senders[i] = quoll.spawn(function() return ch:send(i) end)
            end
            settle()
            assert.is_true(ch:close())
            assert.same({ nil, "closed", "CLOSED" }, { ch:close() })
            assert.is_true(senders[2]:wait())
            assert.same({ nil, "closed", "CLOSED" }, { senders[3]:wait() })
            assert.same({ nil, "closed", "CLOSED" }, { ch:send(5) })
            assert.same({ 1, 2 }, drain(ch))
            assert.same({ nil, "closed", "CLOSED" }, { ch:receive() })
        end)
    end)

    it("go on when it is closed while it is empty", function()
        run(function()
            local ch = channel(2)
            local receiver = quoll.spawn(function() return ch:receive() end)
            settle()
            ch:close()
            assert.same({ nil, "closed", "CLOSED" }, { receiver:wait() })
        end)
    end)

    it("learn that its owner has ended", function()
        run(function()
            local ch = channel()
            quoll.spawn(function()
                ch:own()
                quoll.yield()
            end)
            assert.same({ nil, "closed", "OWNER_ENDED" }, { ch:receive() })
        end)
    end)

    it("have their item when it came before the close", function()
        run(function()
            local ch = channel()
            local receiver = quoll.spawn(function() return ch:receive() end)
            settle()
            ch:send "x"
            ch:close()
            assert.equal("x", receiver:wait())
        end)
    end)
end)
