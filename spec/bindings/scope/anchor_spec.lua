local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("live tasks", function()
    helper.gates()

    it("are kept by nothing but the runtime", function()
        local ended = 0
        for _ = 1, 100 do
            quoll.timer.after(0.001, function() ended = ended + 1 end)
        end
        collectgarbage()
        collectgarbage()
        quoll.run()
        assert.equal(100, ended)
    end)

    it("survive when most of many others end", function()
        local n = helper.collecting and 5000 or 20000
        local stay = {}
        tasks.run(function()
            for i = 1, n do
                local task = quoll.spawn(function()
                    quoll.sleep(i % 1000 == 0 and 0.02 or 0)
                    return i
                end)
                if i % 1000 == 0 then
                    stay[#stay + 1] = task
                end
            end
            quoll.sleep(0.01)
            collectgarbage()
            for i, task in ipairs(stay) do
                assert.equal(i * 1000, task:wait())
            end
            assert.equal("ok", quoll.spawn(function() return "ok" end):wait())
        end, 20)
    end)

    it("survive when a failure's __tostring ends most of the others", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local list, known = {}, setmetatable({}, { __mode = "k" })
            local function start(n)
                for _ = 1, n do
                    local task = quoll.timer.after(60, print)
                    list[#list + 1] = task
                    known[task] = true
                end
            end
            start(500)
            quoll.spawn(error, setmetatable({}, { __tostring = function()
                for i = 1, 5000 do
                    if i <= 400 or i >= 1500 then list[i]:cancel() end
                end
                list = nil
            end }))
            start(4500)
            quoll.yield()
            quoll.yield()
            collectgarbage()
            collectgarbage()
            local left = 0
            for task in pairs(known) do
                left = left + 1
                task:cancel()
            end
            print(left)
        ]]
        assert.equal("1099\n", result.out)
        assert.equal(0, result.code)
    end)

    it("give their memory back", function()
        local function used()
            collectgarbage()
            collectgarbage()
            return collectgarbage "count"
        end
        local function use()
            tasks.run(function()
                for _ = 1, 20000 do
                    quoll.spawn(quoll.yield)
                end
            end, 20)
            return used()
        end
        local before = used()
        local first = use()
        assert.is_true(use() - first < 50)
        assert.is_true(first - before < 500)
    end)
end)
