-- The collector may run while a method makes its first object, and a finaliser
-- may then close the very handle that the method has just found open.
local helper = require "spec.helper"

-- doomed(handle, fn, ...): fn runs while a finaliser is due that closes handle.
local PRELUDE = [[
    local quoll = require "quoll"
    local function doomed(handle, fn, ...)
        collectgarbage()
        collectgarbage "stop"
        getmetatable(newproxy(true)).__gc = function() handle:close() end
        collectgarbage("setpause", 0)
        collectgarbage("setstepmul", 100000)
        collectgarbage "restart"
        return fn(handle, ...)
    end
    local function rounds(fn)
        quoll.run(function()
            for i = 1, 50 do
                fn(i)
            end
        end)
    end
]]

local function survives(body)
    return function()
        local result = helper.script(PRELUDE .. body, nil, { timeout = 30 })
        assert.same({ 0, "" }, { result.code, result.err })
    end
end

describe("a handle closed by a finaliser while the method begins", function()
    it("sends nothing of a long table, numbers or a number", survives [[
        local listener = quoll.listen "127.0.0.1:0"
        rounds(function(i)
            local long, numbers = {}, {}
            for j = 1, 100 do long[j] = "piece " .. i .. " " .. j end
            for j = 1, 30 do numbers[j] = i + j / 7 end
            for _, data in ipairs { long, numbers, i / 7 } do
                local conn = quoll.connect(listener:address())
                local server = listener:accept()
                doomed(conn, conn.send, data)
                conn:close()
                server:close()
            end
        end)
    ]])

    it("accepts nothing", survives [[
        rounds(function()
            local listener = quoll.listen "127.0.0.1:0"
            local client = quoll.connect(listener:address())
            doomed(listener, listener.accept, 1)
            client:close()
        end)
    ]])

    it("begins no second read", survives [[
        rounds(function(i)
            local file = quoll.open("spec/helper.lua", "rd")
            local first = quoll.spawn(file.pread, file, 100, 0)
            quoll.spawn(function() end):wait() -- the first one is under way
            doomed(file, file.pread, 100, i)
            first:wait()
        end)
    ]])
end)
