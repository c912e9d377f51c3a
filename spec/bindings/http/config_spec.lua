local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"
local raw = require "quoll.http.core"

describe("bindings/http/config", function()
    helper.gates()

    it("is what a server's connections have, after it is gone, too", function()
        quoll.run(function()
            local listener = quoll.listen "127.0.0.1:0"
            local client = quoll.connect(listener:address())
            local conn = listener:accept(http.PATIENCE)
            assert.is_true(raw.attach(conn, raw.config {}))
            assert.same({ nil, "busy reading", "BUSY" },
                { raw.attach(conn, raw.config {}) })
            collectgarbage()
            collectgarbage()
            assert.is_true(raw.hijack(conn))
            client:send "x"
            assert.equal("x", conn:receive(1))
            conn:close()
            assert.same({ nil, "closed", "CLOSED" },
                { raw.attach(conn, raw.config {}) })
            client:close()
            listener:close()
        end)
    end)

    it("refuses numbers out of their range, at the caller's line", function()
        for name, bad in pairs { line = { 0, 15, 100.5 }, head = { 1, -1 },
            fields = { 0, 129, 1000 }, body = { -1, 0 / 0, 0.5 },
            body_max = { -1, 0 / 0 }, requests = { 0, -1 }, min_rate = { -1 },
            head_timeout = { -1, 0 / 0 }, timeout = { 0, -1, 0 / 0 } } do
            for _, value in ipairs(bad) do
                local ok, err = pcall(function()
                    quoll.http.serve("127.0.0.1:0", print, { [name] = value })
                end)
                assert.is_false(ok)
                assert.matches("config_spec.lua:%d+: bad argument '" .. name
                    .. "' to 'serve' %(.+ expected, got ", err)
            end
        end
        assert.error_matches(function() raw.config { fields = 129 } end,
            "a whole number from 1 to 128 expected, got 129")
        assert.error_matches(function() raw.config { line = 15 } end,
            "a whole number from 16 up expected, got 15")
        assert.is_truthy(raw.config { line = 16, head = 16, fields = 128,
            body = 0, body_max = math.huge,
            requests = math.huge, min_rate = 0 })
    end)

    it("refuses what is no log", function()
        for _, bad in ipairs { "x", 1, true, {} } do
            assert.error_matches(function()
                quoll.http.serve("127.0.0.1:0", print, { log = bad })
            end, "bad argument 'log' to 'serve' %(an access log expected")
        end
    end)

    it("refuses bad times and what is no config", function()
        assert.has_error(function() raw.config { head_timeout = -1 } end)
        assert.has_error(function() raw.config(1) end)
        assert.has_error(function() raw.attach(nil, raw.config {}) end)
        quoll.run(function()
            local listener = quoll.listen "127.0.0.1:0"
            local client = quoll.connect(listener:address())
            assert.has_error(function() raw.attach(client, io.stdout) end)
            client:close()
            listener:close()
        end)
    end)
end)
