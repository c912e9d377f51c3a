local http = require("quoll").http
local pair = require "spec.support.pair"

describe("quoll.http.chain", function()
    local function tag(name)
        return function(next)
            return function(req) return name .. next(req) end
        end
    end

    it("puts the first one outside", function()
        local handler = http.chain(tag "a", tag "b", function(req)
            return req
        end)
        assert.equal("abx", handler "x")
        assert.equal("x", http.chain(function(req) return req end) "x")
        assert.equal("ax", http.chain(tag "a", setmetatable({},
            { __call = function(_, req) return req end })) "x")
    end)

    it("refuses what is no middleware, or no handler", function()
        for _, bad in ipairs { function() http.chain() end,
            function() http.chain(tag "a", nil) end,
            function() http.chain(1, print) end,
            function() http.chain({}, print) end,
            function() http.chain(function() end, print) end } do
            pair.raises(bad,
                "chain_spec.lua:%d+: bad argument '%w+' to 'chain'")
        end
    end)
end)
