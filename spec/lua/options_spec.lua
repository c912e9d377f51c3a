require "quoll"
local options = require "quoll.options"
local check = options.check

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

    it("may be of several tables", function()
        assert.same({ a = "number", b = true, c = "string" },
            options.union({ a = "number", b = "string" },
                { b = true, c = "string" }))
    end)

    it("have a time that is none in the past", function()
        for _, bad in ipairs { -1, 0 / 0 } do
            local _, err = pcall(options.check_timeout, bad, "thing")
            assert.matches("bad argument 'timeout' to 'thing' %(seconds, 0 or "
                .. "more, expected", err)
        end
        options.check_timeout(nil, "thing")
        options.check_timeout(0, "thing")
        options.check_timeout(math.huge, "thing")
    end)

    it("have values of their type", function()
        assert.matches("bad argument 'timeout' to 'thing' %(a number expected, "
            .. "got '1'%)", refused { timeout = "1" })
    end)
end)
