require "quoll"
local check = require("quoll.options").check

local KNOWN = { timeout = "number", tls = true }

-- The message with which check refuses `given`, and the line it names.
local function refused(given)
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() check(given, KNOWN, "thing") end)
    assert.is_false(ok)
    assert.matches("options_spec.lua:" .. line .. ": ", message)
    return message
end

describe("options of a call", function()
    it("may be left out", function()
        assert.same({}, check(nil, KNOWN, "thing"))
    end)

    it("come back as they are", function()
        local given = { timeout = 1.5, tls = {} }
        assert.equal(given, check(given, KNOWN, "thing"))
        assert.same({ timeout = 1.5, tls = {} }, given)
    end)

    it("are a table", function()
        assert.matches("bad argument 'options' to 'thing' %(a table expected, "
            .. "got 'timeout'%)", refused("timeout"))
    end)

    it("have known names", function()
        assert.matches("no option 'tiemout'; there are: timeout, tls",
            refused { tiemout = 1 })
        assert.matches("no option '1'", refused { "timeout" })
    end)

    it("have values of their type", function()
        assert.matches("bad argument 'timeout' to 'thing' %(a number expected, "
            .. "got '1'%)", refused { timeout = "1" })
    end)
end)
