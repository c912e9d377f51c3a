local helper = require "spec.helper"

-- collect() has finalisers try every wait; `refused` counts those that raised.
local prelude = [[
    local quoll = require "quoll"
    local listener = assert(quoll.listen "127.0.0.1:0")
    local conn = assert(quoll.connect(listener:address()))
    local channel = quoll.sync.channel(0)
    local forever = quoll.spawn(function()
        while true do quoll.yield() end
    end)
    local refused, other = 0, 0
    local function try(fn, ...)
        local ok, err = pcall(fn, ...)
        err = tostring(err)
        if not ok and (err:find "cannot wait "
            or err:find "quoll.run inside a task"
            or err:find "quoll is closed") then
            refused = refused + 1
        else
            other = other + 1
            io.write(tostring(ok), " ", err, "\n")
        end
    end
    local function nothing() end
    local uses = {
        function() try(quoll.sleep, 0) end,
        function() try(quoll.sleep, 0.001) end,
        function() try(conn.receive, conn, 1) end,
        function() try(listener.accept, listener, 1) end,
        function() try(channel.receive, channel) end,
        function() try(forever.wait, forever) end,
        function() try(quoll.run) end,
        function() try(quoll.scope, nothing) end,
        function() try(quoll.deadline, 1, nothing) end,
        function() try(quoll.shield, 1, quoll.yield) end,
        function() try(quoll.coroutine.wrap(quoll.yield)) end,
        function()
            collectgarbage()
            try(quoll.sleep, 0)
        end,
    }
    local function finalise(use)
        getmetatable(newproxy(true)).__gc = use
    end
    -- In between, the collector also comes in C functions and in the loop.
    local function collect()
        for _, use in ipairs(uses) do
            local before, n = refused, 0
            repeat
                n = n + 1
                finalise(use)
                for i = 1, 50 do
                    local _ = { {}, tostring(i) }
                end
                quoll.yield()
            until refused > before or n == 10000
            finalise(use)
            collectgarbage()
        end
    end
]]

local places = {
    ["the main chunk"] = "collect()",
    ["a coroutine of the main chunk"] = "coroutine.wrap(collect)()",
    ["a task"] = "quoll.spawn(collect):wait()",
    ["a generator of a task"] = [[
        quoll.spawn(function()
            for _ in quoll.coroutine.wrap(function()
                collect()
                quoll.coroutine.yield(1)
                collect()
            end) do quoll.yield() end
        end):wait()
    ]],
    ["a module that a task requires"] = [[
        package.preload.collects = collect
        quoll.spawn(require, "collects"):wait()
    ]],
    ["a module that the main chunk requires"] = [[
        package.preload.collects = collect
        require "collects"
    ]],
}

describe("a wait in a finaliser", function()
    for place, text in pairs(places) do
        it("is refused in " .. place, function()
            local result = helper.script(prelude .. text .. [[
                forever:cancel()
                quoll.run()
                print(refused >= #uses * 2, other)
            ]])
            assert.equal("true\t0\n", result.out, result.err)
            assert.same({ 0, "" }, { result.code, result.err })
        end)
    end

    it("is refused while the state closes", function()
        if helper.collecting then
            pending "a collector that never rests runs them before"
        end
        local result = helper.script(prelude .. [[
            uses[#uses] = nil -- would run the others within itself
            finalise(function() print(refused == #uses, other) end)
            for _, use in ipairs(uses) do finalise(use) end
        ]])
        assert.equal("true\t0\n", result.out, result.err)
        assert.equal(0, result.code)
    end)

    it("is refused in the main chunk with the collector stopped", function()
        local result = helper.script(prelude .. [[
            finalise(uses[1])
            collectgarbage()
            collectgarbage "stop"
            quoll.sleep(0.001)
            print(refused, other)
        ]])
        assert.equal("1\t0\n", result.out, result.err)
    end)
end)

describe("a wait in a hook of the main chunk", function()
    it("is refused, and the hook stays", function()
        local result = helper.script(prelude .. [[
            local calls = 0
            debug.sethook(function()
                calls = calls + 1
                if calls == 1 then uses[1]() end
            end, "l")
            quoll.sleep(0.001)
            local before = calls
            quoll.yield()
            print(refused, other, before >= 1, calls > before)
        ]])
        assert.equal("1\t0\ttrue\ttrue\n", result.out, result.err)
    end)
end)

describe("a finaliser", function()
    it("may spawn", function()
        local result = helper.script(prelude .. [[
            local spawned, ran = 0, 0
            forever:cancel()
            uses = { function()
                spawned, refused = spawned + 1, refused + 1
                quoll.spawn(function()
                    quoll.yield()
                    ran = ran + 1
                end)
            end }
            collect()
            quoll.spawn(collect):wait()
            quoll.run(collect)
            quoll.run()
            print(spawned >= 6, ran == spawned)
        ]])
        assert.equal("true\ttrue\n", result.out, result.err)
        assert.same({ 0, "" }, { result.code, result.err })
    end)

    it("may defer in a task, not in the main chunk", function()
        local result = helper.script(prelude .. [[
            local ran, raised = 0
            uses = { function()
                refused = refused + 1
                raised = select(2, pcall(quoll.defer, function()
                    quoll.yield()
                    ran = ran + 1
                end))
            end }
            forever:cancel()
            collectgarbage "stop"
            finalise(uses[1])
            collectgarbage()
            print(raised:match "quoll.defer in the main chunk", ran)
            quoll.spawn(function()
                finalise(uses[1])
                collectgarbage()
            end):wait()
            print(ran)
        ]])
        assert.equal("quoll.defer in the main chunk\t0\n1\n", result.out,
            result.err)
    end)
end)
