local helper = require "spec.helper"

-- Every allocation of Lua memory in a wait fails once. The script prints what
-- went wrong; then what is left over.
local script = [[
    local quoll = require "quoll"
    local path = arg[1]
    local text = io.open(path):read "*a"

    local operations = {
        sleep = function()
            quoll.sleep(0.001)
            return true
        end,
        yield = function()
            quoll.yield()
            return true
        end,
        pread = function()
            return quoll.open(path):pread(100, 5) == text:sub(6, 105)
        end,
        direct = function()
            return quoll.open(path, "rd"):pread(100, 5) == text:sub(6, 105)
        end,
        read = function()
            local a, b = quoll.open(path, "rd"):read("*l", 10)
            return a .. "\n" .. b == text:sub(1, #a + 11)
        end,
        spawn = function()
            return quoll.spawn(function(value)
                quoll.yield()
                return value
            end, true):wait()
        end,
        after = function()
            return quoll.timer.after(0, function(v) return v end, true):wait()
        end,
        cancel = function()
            local task = quoll.spawn(quoll.sleep, 10)
            quoll.yield()
            task:cancel "why"
            return task:wait() == nil
        end,
        failed = function()
            quoll.spawn(error, "x"):detach()
            quoll.yield()
            return true
        end,
        waitfd = function()
            return quoll.waitfd(0, "r", 0.001) ~= "w"
        end,
        require = function()
            package.loaded.waits = nil
            package.preload.waits = function()
                quoll.sleep(0.001)
                return true
            end
            return require "waits"
        end,
    }

    local function attempt(name, operation, n)
        collectgarbage()
        fail_allocation(n)
        local ok, result = pcall(quoll.run, operation)
        local left = fail_allocation(0)
        if ok and result ~= true then
            print(name, n, "wrong value", result)
        elseif not ok and not tostring(result):find "not enough memory" then
            print(name, n, result)
        end
        quoll.run()
        local stats = quoll.stats()
        if stats.tasks.live + stats.loop.timers + stats.loop.posted > 0 then
            print(name, n, "left over")
        end
        return left > 0
    end

    jit.off()
    local points = 0
    for name, operation in pairs(operations) do
        local n = 0
        repeat
            n = n + 1
        until attempt(name, operation, n) or n > 1000
        points = points + n
    end
    collectgarbage()
    collectgarbage()
    local stats = quoll.stats()
    print(points > 100, stats.files.live, stats.files.reads,
        stats.connections.live)
]]

describe("lack of Lua memory at any point of a wait", function()
    it("is an error, and nothing is left over", function()
        local result = helper.script(script, { "LICENSE" }, {
            lua = helper.build .. "/bin/quoll-host", timeout = 60,
        })
        assert.is_nil(result.signal, result.err)
        assert.equal("true\t0\t0\t0\n", result.out)
        assert.equal(0, result.code)
    end)
end)
