local pair = require "spec.support.pair"
local pattern = require "quoll.http.router.pattern"

describe("quoll.http.router.pattern", function()
    it("parses segments", function()
        local segments, names = pattern.parse("/a/:b/*c", "get")
        assert.same({ { text = "a" }, { param = true }, { rest = true } },
            segments)
        assert.same({ "b", "c" }, names)
        assert.same({ { text = "" } }, (pattern.parse("/", "get")))
        assert.same({ { text = "a" }, { text = "" } },
            (pattern.parse("/a/", "get")))
    end)

    it("refuses what is no pattern", function()
        for _, bad in ipairs { "", "a", "/:", "/*", "/:1", "/*a/b", "/:a/:a",
            "/:a-b", "/a?b", "/a b", "/a#b", "/\n", 1 } do
            pair.raises(function()
                return (pattern.parse(bad, "get"))
            end, "pattern_spec.lua:%d+: bad argument 'pattern' to 'get'")
        end
    end)
end)
