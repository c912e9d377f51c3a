local helper = require "spec.helper"
local quoll = require "quoll"

describe("quoll", function()
    helper.gates()

    it("has the functions of its contract", function()
        local names = "run spawn sleep yield now time waitfd configure stats "
            .. "log iscancelled listen serve connect open"
        for name in names:gmatch "%S+" do
            assert.equal("function", type(quoll[name]), name)
        end
        assert.equal(quoll.open, quoll.fs.open)
        assert.equal("function", type(quoll.timer.after))
        assert.equal("function", type(quoll.timer.every))
        assert.matches("^%d+%.%d+%.%d+$", quoll._VERSION)
    end)

    it("sets no global", function()
        local result = helper.script [[
            local before = {}
            for name in pairs(_G) do before[name] = true end
            local quoll = require "quoll"
            quoll.run(function() quoll.sleep(0) end)
            for name in pairs(_G) do
                if not before[name] then print(name) end
            end
        ]]
        assert.equal("", result.out)
        assert.equal(0, result.code)
    end)

    it("runs from a built clone by the file at its top", function()
        local result = helper.script([[
            package.path, package.cpath = arg[1] .. "/?.lua", ""
            local quoll = require "quoll"
            print(quoll._VERSION, pcall(quoll.sleep, -1))
        ]], { helper.root }, { env = { LUA_PATH = "", LUA_CPATH = "" } })
        if helper.build ~= "build" then
            return pending "the tree was built elsewhere"
        end
        assert.equal("", result.err)
        assert.matches("^%S+\tfalse\t%S+:3: bad argument 's'", result.out)
    end)
end)
