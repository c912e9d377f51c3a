local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

-- fn(file), then nothing may be left of what it began.
local function with(fn)
    local path = tasks.file("0123456789")
    finally(function() os.remove(path) end)
    tasks.run(function()
        fn(assert(quoll.open(path, "r+")))
    end, 20)
end

local calls = {
    sync = function(file) return file:sync() end,
    truncate = function(file) return file:truncate(5) end,
    pwrite = function(file) return file:pwrite("x", 1) end,
}

for name, call in pairs(calls) do
    describe("a " .. name .. " that waits", function()
        helper.gates()

        it("is let go when its task is cancelled", function()
            with(function(file)
                for _ = 1, 50 do
                    local task = quoll.spawn(call, file)
                    tasks.settle()
                    task:cancel()
                    local result, err = task:wait()
                    assert.is_true(result ~= nil or err == "cancelled")
                end
            end)
        end)

        it("is not begun by a task that is cancelled already", function()
            with(function(file)
                local task = quoll.spawn(function()
                    pcall(quoll.sleep, 10)
                    call(file)
                end)
                tasks.settle()
                task:cancel()
                assert.same({ nil, "cancelled", "CANCELLED" },
                    { task:wait() })
            end)
        end)

        it("lets go of a file that is closed under it", function()
            with(function(file)
                local task = quoll.spawn(function() return { call(file) } end)
                tasks.settle()
                file:close()
                local result = task:wait()
                assert.is_true(result[1] ~= nil or result[3] == "CLOSED")
            end)
        end)

        it("is forgotten with its file", function()
            with(function(file)
                quoll.spawn(call, file)
                tasks.settle()
            end)
        end)
    end)
end
