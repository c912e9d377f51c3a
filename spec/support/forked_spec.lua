local helper = require "spec.helper"
local ffi, C = helper.ffi, helper.C
local SIGKILL = 9

-- What helper.forked says of a test that must fail.
local function failure(fn, seconds)
    local ok, err = pcall(helper.forked(fn, seconds))
    assert.is_false(ok)
    return err
end

describe("a forked test", function()
    it("passes", helper.forked(function()
        assert.equal(2, 1 + 1)
    end))

    it("fails with the message and where", function()
        local err = failure(function()
            assert.equal(1, 2)
        end)
        assert.matches("Passed in", err)
        assert.matches("forked_spec.lua:%d+", err)
    end)

    it("fails by a crash", function()
        local err = failure(function()
            ffi.C.kill(ffi.C.getpid(), SIGKILL)
        end)
        assert.matches("killed by signal 9", err)
    end)

    it("fails by its timeout", function()
        local err = failure(function()
            ffi.C.poll(nil, 0, -1)
        end, 0.2)
        assert.matches("no end after", err)
    end)

    it("fails when a descriptor is left open", function()
        local err = failure(function()
            ffi.C.pipe2(ffi.new("int[2]"), 0)
        end)
        assert.matches("left open: %d+ pipe:", err)
    end)

    it("fails when a timer is left armed", function()
        local err = failure(function()
            local loop = helper.loop()
            C.ql_add_timer(loop, helper.event(loop, nil), 60000)
        end)
        assert.matches("left over: timers = 1", err)
    end)

    it("fails by an ALERT that was not announced", function()
        local err = failure(function()
            C.ql_log_text(helper.loop(), C.QL_LOG_ALERT, "a bug")
        end)
        assert.matches("1 ALERT lines, 0 expected", err)
    end)
end)
