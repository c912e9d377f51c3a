local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

describe("quoll.net.connect", function()
    helper.gates()

    it("says connection refused", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local address = listener:address()
            listener:close()
            assert.same(results(nil, "connection refused", "ECONNREFUSED"),
                results(quoll.connect(address)))
            assert.same(
                results(nil, "no such file or directory", "ENOENT"),
                results(quoll.connect("unix:/nonexistent/socket")))
        end)
    end)

    it("says what is wrong with an address", function()
        assert.same(results(nil, "host not found", "ENOTFOUND"),
            results(quoll.connect("nowhere.invalid:80")))
        local conn, err, code = quoll.connect("127.0.0.1:99999")
        assert.is_nil(conn)
        assert.matches("bad address '127.0.0.1:99999'", err)
        assert.equal("EINVAL", code)
        assert.error_matches(function()
            quoll.connect(80)
        end, "bad argument 'address' to 'connect'")
        assert.error_matches(function()
            quoll.connect("127.0.0.1:80", { tls = true })
        end, "not available")
    end)

    it("connects from an address", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local client = quoll.connect(listener:address(),
                { bind = "127.0.0.2:0", timeout = pair.PATIENCE })
            local server = listener:accept(pair.PATIENCE)
            assert.equal("127.0.0.2", (server:getpeername()))
            assert.equal("127.0.0.2", (client:getsockname()))
        end)
    end)
end)
