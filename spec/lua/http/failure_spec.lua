local failure = require "quoll.http.failure"

describe("quoll.http.failure", function()
    it("is an error with a status", function()
        local ok, err = pcall(failure.raise, 404, "no such thing")
        assert.is_false(ok)
        assert.same({ 404, "no such thing" }, { failure.status(err) })
        assert.equal("no such thing", tostring(err))
        err = select(2, pcall(failure.raise, 400))
        assert.same({ 400 }, { failure.status(err) })
        assert.is_nil(failure.status "404")
        assert.is_nil(failure.status { status = 404 })
    end)

    it("is what a body has", function()
        for code, status in pairs { EBADMSG = 400, EMSGSIZE = 413,
            TIMEOUT = 408, CLOSED = 400, ECONNRESET = 400 } do
            local _, err = pcall(failure.body, "why", code)
            assert.same({ status, "why" }, { failure.status(err) })
        end
    end)

    it("describes what was raised", function()
        local err = { "why" }
        local ok, told = xpcall(function() error(err) end, failure.describe)
        assert.is_false(ok)
        assert.equal(err, told.err)
        assert.falsy(told.cancelled)
        ok, told = xpcall(function() error "why" end, failure.describe)
        assert.is_false(ok)
        assert.matches("failure_spec.lua:%d+: why", told.err)
        assert.matches("stack traceback", told.traceback)
    end)

    it("has the status of a failure", function()
        for _, bad in ipairs { 200, 600, 404.5, "404" } do
            local _, err = pcall(failure.raise, bad)
            assert.is_nil(failure.status(err))
            assert.matches("bad argument 'status' to 'raise'", err)
        end
    end)
end)
