local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local channel = quoll.sync.channel

describe("a wait for a channel", function()
    helper.gates()

    it("that times out has had no effect", function()
        run(function()
            local ch = channel()
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0.001) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:send(1, 0.001) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0) })
            local late = quoll.spawn(function() return ch:send(2) end)
            settle()
            assert.equal(2, ch:receive())
            late:wait()
        end)
    end)

    it("that is cancelled has had no effect", function()
        run(function()
            local ch, senders = channel(1), {}
            for i = 1, 5 do
                senders[i] = quoll.spawn(function() ch:send(i) end)
            end
            settle()
            senders[2]:cancel()
            senders[4]:cancel()
            assert.equal(1, ch:receive())
            assert.equal(3, ch:receive())
            assert.equal(5, ch:receive())
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0) })
            local first = quoll.spawn(function() return ch:receive() end)
            local second = quoll.spawn(function() return ch:receive() end)
            settle()
            first:cancel()
            ch:send "x"
            assert.equal("x", second:wait())
        end)
    end)

    it("of a task that is cancelled already does not begin", function()
        run(function()
            local ch = channel(1)
            ch:send(1)
            local task = quoll.spawn(function()
                pcall(quoll.sleep, 60)
                local ok, err = pcall(ch.receive, ch)
                return ok, quoll.iscancelled(err)
            end)
            settle()
            task:cancel "why"
            assert.same({ false, "why" }, { task:wait() })
            assert.equal(1, #ch)
        end)
    end)

    it("that has its item keeps it, and the next wait is cancelled", function()
        run(function()
            local ch, got, raised = channel(), nil, nil
            local task = quoll.spawn(function()
                got = ch:receive()
                raised = not pcall(quoll.yield)
            end)
            settle()
            ch:send "x"
            task:cancel()
            task:wait()
            assert.same({ "x", true }, { got, raised })
        end)
    end)

    it("that was received from has sent, whatever comes then", function()
        run(function()
            local ch, sent = channel(), nil
            local task = quoll.spawn(function()
                sent = ch:send "x"
                quoll.yield()
            end)
            settle()
            assert.equal("x", ch:receive())
            task:cancel()
            task:wait()
            assert.is_true(sent)
        end)
    end)

    it("works in the main chunk, and with nobody else", function()
        local ch = channel()
        quoll.spawn(function()
            ch:send "to main"
            assert.equal("from main", ch:receive())
        end)
        assert.equal("to main", ch:receive())
        assert.is_true(ch:send "from main")
        quoll.run()
        assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0.001) })
        assert.same({ nil, "timeout", "TIMEOUT" }, { ch:send(1, 0.001) })
        quoll.spawn(function() assert.equal("waiting", ch:receive()) end)
        assert.is_true(ch:send "waiting")
    end)

    it("goes on past the budget of a turn", function()
        run(function()
            local ch = channel(1000)
            for i = 1, 1000 do ch:send(i) end
            local other
            quoll.spawn(function() other = #ch end)
            for i = 1, 1000 do assert.equal(i, ch:receive()) end
            assert.truthy(other > 800 and other < 1000)
        end)
    end)
end)

-- Producers and consumers whose waits end in every way; each item carries its
-- producer's number and its own.
local function model(seed, size)
    local state = seed
    local function random(n)
        state = (state * 16807) % 2147483647
        return state % n
    end
    local ch, expected, got, sent, left = channel(size), {}, {}, 0, 0
    local function produce(p)
        local i = 0
        left = left + 1
        while i < 200 do
            local limit = ({ 0, 0.0001, 0.001 })[random(5) + 1]
            if ch:send({ p, i + 1 }, limit) then
                i, sent = i + 1, sent + 1
            elseif limit == 0 then
                quoll.yield()
            end
        end
        left = left - 1
        if left == 0 then ch:close() end
    end
    local function note(item)
        local p, i = item[1], item[2]
        assert(i > (expected[p] or 0), "out of order or doubled")
        expected[p] = i
        got[#got + 1] = item
    end
    local function consume(done)
        while not done() do
            local limit = ({ 0, 0.0001 })[random(4) + 1]
            local item, _, code = ch:receive(limit)
            if item then
                note(item)
            elseif code == "CLOSED" then
                return true
            elseif limit == 0 then
                quoll.yield()
            end
        end
    end
    for p = 1, 5 do quoll.spawn(produce, p) end
    local consumers = {}
    for c = 1, 4 do
        consumers[c] = quoll.spawn(consume, function() return false end)
    end
    -- Receivers that are cancelled, at whatever point they are.
    while ch:receive(0) == nil and left > 0 do
        local victim = quoll.spawn(consume, function() return false end)
        for _ = 0, random(3) do quoll.yield() end
        victim:cancel()
        victim:wait()
    end
    for c = 1, 4 do consumers[c]:wait() end
    return sent, #got
end

describe("a channel's items", function()
    helper.gates()

    for seed = 1, 6 do
        it("are neither lost nor doubled, seed " .. seed, function()
            run(function()
                local sent, got = model(seed * 7919, seed % 3)
                assert.equal(1000, sent)
                -- One item may be the model's own.
                assert.truthy(got == 1000 or got == 999)
            end, 30)
        end)
    end
end)

describe("an abandoned channel", function()
    helper.gates()

    it("is collected with its items", function()
        local seen = setmetatable({}, { __mode = "k" })
        local function use()
            local ch, item = channel(4), {}
            seen[ch], seen[item] = true, true
            ch:send(item)
            ch:send(ch)
        end
        use()
        collectgarbage()
        collectgarbage()
        collectgarbage()
        assert.is_nil(next(seen))
    end)

    it("lets the item of a cancelled sender go", function()
        run(function()
            local ch = channel()
            local seen = setmetatable({}, { __mode = "k" })
            local function sender()
                local item = {}
                seen[item] = true
                ch:send(item)
            end
            local task = quoll.spawn(sender)
            settle()
            task:cancel()
            task:wait()
            collectgarbage()
            collectgarbage()
            assert.is_nil(next(seen))
        end)
    end)
end)
