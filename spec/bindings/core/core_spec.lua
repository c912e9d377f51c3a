local helper = require "spec.helper"
local core = require "quoll.core"

describe("what the files of quoll.core share", function()
    it("gives each kind of handle its table of methods", function()
        for _, name in ipairs { "connection", "listener", "file" } do
            local methods = core.methods[name]
            assert.equal("function", type(methods.close), name)
            assert.equal("function", type(methods.own), name)
        end
    end)

    it("says that quoll is closed once the state is closing", function()
        local result = helper.script [[
            local late = newproxy(true) -- made first, collected last
            local core
            getmetatable(late).__gc = function()
                for _, name in ipairs { "now", "stats", "configure" } do
                    print(select(2, pcall(core[name])))
                end
            end
            core = require "quoll.core"
        ]]
        assert.matches("^%S+: quoll is closed\n%S+: quoll is closed\n"
            .. "%S+: quoll is closed\n$", result.out)
        assert.equal("", result.err)
    end)
end)
