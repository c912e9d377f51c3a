local query = require "quoll.http.syntax.query"

describe("quoll.http.syntax.query", function()
    it("gives first values and all", function()
        local first, all = query.parse_query "a=1&b=%41+%42&a=2&c&=x&&d=e=f"
        assert.same({ a = "1", b = "A B", c = "", d = "e=f", [""] = "x" },
            first)
        assert.same({ a = { "1", "2" }, b = { "A B" }, c = { "" },
            d = { "e=f" }, [""] = { "x" } }, all)
        assert.same({}, (query.parse_query ""))
        assert.same({}, (query.parse_query "&&&"))
    end)

    it("stops at a limit", function()
        assert.is_nil(query.parse_query("a&b&c", 2))
        assert.same({ a = "", b = "" }, (query.parse_query("a&&b&", 2)))
    end)

    it("gives the values of one name", function()
        assert.same({ "1", "" }, query.values("a=1&b=2&a", "a"))
        assert.same({}, query.values("a=1", "b"))
    end)
end)
