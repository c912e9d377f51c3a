local helper = require "spec.helper"
local quoll = require "quoll"

describe("quoll.http", function()
    helper.gates()

    it("has its parts when they are asked for", function()
        local parts = getmetatable(quoll.http).parts
        for name in pairs(parts) do
            assert.truthy(quoll.http[name], name)
        end
        assert.equal(quoll.http, require "quoll.http")
        assert.is_nil(quoll.http.nothing)
    end)
end)
