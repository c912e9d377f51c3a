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
local Model = {}
Model.__index = Model

function Model:random(n)
    self.state = (self.state * 16807) % 2147483647
    return self.state % n
end

function Model:produce(p)
    local i = 0
    self.left = self.left + 1
    while i < 200 do
        local limit = ({ 0, 0.0001, 0.001 })[self:random(5) + 1]
        if self.ch:send({ p, i + 1 }, limit) then
            i, self.sent = i + 1, self.sent + 1
        elseif limit == 0 then
            quoll.yield()
        end
    end
    self.left = self.left - 1
    if self.left == 0 then self.ch:close() end
end

function Model:note(item)
    local p, i = item[1], item[2]
    assert(i > (self.last[p] or 0), "out of order or doubled")
    self.last[p] = i
    self.got = self.got + 1
end

function Model:consume()
    while true do
        local limit = ({ 0, 0.0001 })[self:random(4) + 1]
        local item, _, code = self.ch:receive(limit)
        if item then
            self:note(item)
        elseif code == "CLOSED" then
            return
        elseif limit == 0 then
            quoll.yield()
        end
    end
end

-- Consumers, and some that are cancelled at whatever point they are.
local function model(seed, size)
    local m = setmetatable({ state = seed, ch = channel(size), last = {},
        got = 0, sent = 0, left = 0 }, Model)
    local consumers = {}
    for p = 1, 5 do quoll.spawn(m.produce, m, p) end
    for c = 1, 4 do consumers[c] = quoll.spawn(m.consume, m) end
    repeat
        local victim = quoll.spawn(m.consume, m)
        for _ = 0, m:random(3) do quoll.yield() end
        victim:cancel()
        victim:wait()
    until m.left == 0
    for c = 1, 4 do consumers[c]:wait() end
    return m.sent, m.got
end

describe("a channel's items", function()
    helper.gates()

    for seed = 1, 6 do
        it("are neither lost nor doubled, seed " .. seed, function()
            run(function()
                local sent, got = model(seed * 7919, seed % 3)
                assert.same({ 1000, 1000 }, { sent, got })
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
