local helper = require "spec.helper"
local raw = require "quoll.core.dns"

describe("bindings/dns/module", function()
    helper.gates()

    it("tells IP addresses from names", function()
        assert.same({ "inet", "\127\0\0\1" }, { raw.family "127.0.0.1" })
        assert.same({ "inet6", ("\0"):rep(15) .. "\1" }, { raw.family "::1" })
        for _, text in ipairs { "", "1.2.3", "1.2.3.4.5", "one", "::1%lo",
            "[::1]", "127.0.0.1:1" } do
            assert.is_nil(raw.family(text))
        end
    end)

    it("sorts addresses in place", function()
        local list = { "127.0.0.2", "::1", "127.0.0.1" }
        raw.sort(list)
        table.sort(list)
        assert.same({ "127.0.0.1", "127.0.0.2", "::1" }, list)
        assert.has_error(function() raw.sort { "one" } end)
        assert.has_error(function() raw.sort { {} } end)
        local none = {}
        raw.sort(none)
        assert.same({}, none)
    end)

    it("counts from nothing", function()
        local resolver = raw.new("127.0.0.1:53", 1, 1)
        assert.same({ 0, 0, 0, 0 }, { raw.stats(resolver) })
        assert.has_error(function() raw.stats {} end)
        assert.has_error(function() raw.query(resolver, "one.test", 1) end)
        assert.has_error(function()
            raw.query(resolver, "one.test", 1, "B")
        end)
        resolver:close()
        assert.matches("closed", tostring(resolver))
    end)

    it("links c-ares, and libquoll no library of its own", function()
        local pipe = io.popen("readelf -d " .. helper.build
            .. "/lib/lua/5.1/quoll/core/dns.so")
        local text = pipe:read "*a"
        pipe:close()
        assert.matches("libcares", text)
        assert.is_nil(text:find "luajit")
    end)
end)
