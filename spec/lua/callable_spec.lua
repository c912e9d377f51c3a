local callable = require "quoll.callable"
local helper = require "spec.helper"

describe("lua/quoll/callable", function()
    helper.gates()

    it("knows what can be called", function()
        local meta = { __call = print }
        assert.is_true(callable(print))
        assert.is_true(callable(function() end))
        assert.is_true(callable(setmetatable({}, meta)))
        local hidden = { __call = print, __metatable = "hidden" }
        assert.is_true(callable(setmetatable({}, hidden)))
    end)

    it("knows what cannot", function()
        local cases = { {}, setmetatable({}, {}), "print", 1, true, io.stdout }
        for _, value in ipairs(cases) do
            assert.is_false(callable(value), tostring(value))
        end
        assert.is_false(callable(nil))
    end)
end)
