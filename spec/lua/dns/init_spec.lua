local helper = require "spec.helper"
local pair = require "spec.support.pair"
local dns = require("quoll").dns

describe("quoll.dns", function()
    helper.gates()

    it("refuses bad arguments at the caller's line", function()
        local function refuses(pattern, fn, ...)
            local args = { ... }
            pair.raises(function()
                local found = fn(unpack(args))
                return found
            end, "^spec/lua/dns/init_spec.lua:%d+: bad argument " .. pattern)
        end
        refuses("'name' to 'resolve'", dns.resolve)
        refuses("'name' to 'resolve'", dns.resolve, 1)
        refuses("'family' to 'resolve'", dns.resolve, "a", { family = "ip" })
        refuses("'timeout' to 'resolve'", dns.resolve, "a", { timeout = -1 })
        refuses("'timeout' to 'query'", dns.query, "a", "A",
            { timeout = "1" })
        refuses("'options' to 'query'", dns.query, "a", "A", { time = 1 })
        refuses("'type' to 'query' %(no type 'a'", dns.query, "a", "a")
        refuses("'type' to 'query'", dns.query, "a")
        refuses("'name' to 'reverse'", dns.reverse, {})
    end)

    it("is loaded with the first name", function()
        local result = helper.script [[
            local quoll = require "quoll"
            assert(quoll.connect("127.0.0.1:1") == nil)
            assert(not package.loaded["quoll.core.dns"])
            assert(quoll.dns.resolve("localhost", { timeout = math.huge }))
            assert(package.loaded["quoll.core.dns"])
        ]]
        assert.equal(0, result.code, result.err)
    end)

    it("says so when it was left out of the build", function()
        local result = helper.script [[
            package.preload["quoll.core.dns"] = function() error "gone" end
            local quoll = require "quoll"
            local ok, err = pcall(quoll.dns.resolve, "one.test")
            assert(not ok and err:find "built without QL_DNS", err)
        ]]
        assert.equal(0, result.code, result.err)
    end)
end)
