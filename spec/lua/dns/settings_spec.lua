local helper = require "spec.helper"
local pair = require "spec.support.pair"
local settings = require "quoll.dns.settings"
local dns = require("quoll").dns

describe("quoll.dns.settings", function()
    helper.gates()

    it("writes servers as the resolver takes them", function()
        assert.equal("10.0.0.1:53,10.0.0.2:5353,[::1]:53,[::1]:5353",
            settings.join_servers { "10.0.0.1", "10.0.0.2:5353", "::1",
                "[::1]:5353" })
    end)

    it("puts the script's before resolv.conf's", function()
        settings.set { ndots = 3 }
        local conf = settings.merge { ndots = 1, tries = 2 }
        assert.same({ 3, 2, 1000 }, { conf.ndots, conf.tries, conf.cache })
        settings.set { ndots = false }
        assert.equal(1, settings.merge({ ndots = 1 }).ndots)
    end)

    it("refuses what makes no sense, as a whole", function()
        for name, bad in pairs {
            servers = { {}, { "one" }, { "10.0.0.1:0" }, { 1 }, "10.0.0.1",
                { "10.0.0.1:99999" } },
            search = { "one", { 1 } }, ndots = { -1, 16, 1.5, "1" },
            timeout = { 0, 31, "1" }, tries = { 0, 6 },
            rotate = { 1 }, cache = { -1, 1e9 }, min_ttl = { -1 },
            hosts = { 1 }, check = { -1, 0 / 0 },
        } do
            for _, value in ipairs(bad) do
                pair.raises(function()
                    dns.configure { ndots = 7, [name] = value }
                end, "settings_spec.lua:%d+: bad argument '" .. name
                    .. "' to 'configure'")
            end
        end
        pair.raises(function() dns.configure { server = 1 } end,
            "no setting 'server'")
        pair.raises(function() dns.configure(1) end, "a table expected")
        assert.is_nil(settings.own.ndots)
    end)
end)
