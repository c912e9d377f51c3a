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
