local vary = require "quoll.http.middleware.vary"

describe("quoll.http.middleware.vary", function()
    it("adds names that are not there", function()
        for before, after in pairs { [""] = "A, B", ["a"] = "a, B",
            ["X, b"] = "X, b, A", ["*"] = "*" } do
            local headers = { vary = before ~= "" and before or nil }
            vary.add(headers, "A", "B")
            assert.equal(after, headers.vary)
        end
        local headers = { vary = { "x", "A" } }
        vary.add(headers, "A", "B")
        assert.equal("x, A, B", headers.vary)
    end)
end)
