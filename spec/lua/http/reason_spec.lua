local reason = require "quoll.http.reason"

describe("quoll.http.reason", function()
    it("has words, or the number", function()
        assert.equal("Not Found", reason.of(404))
        assert.equal("499", reason.of(499))
    end)
end)
