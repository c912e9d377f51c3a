local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/udp/option", function()
    helper.gates()

    for _, family in ipairs { "ipv4", "ipv6" } do
        it("sets and gets: " .. family, function()
            quoll.run(function()
                local u = udp.open { family = family }
                for name, value in pairs { broadcast = true, reuseaddr = true,
                    reuseport = true, dontroute = true, ttl = 7, tos = 16,
                    ["multicast-ttl"] = 3, ["multicast-loop"] = false } do
                    assert.is_true(u:setoption(name, value))
                    assert.equal(value, u:getoption(name), name)
                end
                assert.is_true(u:setoption("rcvbuf", 100000))
                assert.is_true(u:getoption "rcvbuf" >= 100000)
                assert.is_true(u:setoption("multicast-interface", "lo"))
                assert.is_true(u:setoption("multicast-interface", 1))
            end)
        end)
    end

    it("is of IPv6 alone", function()
        quoll.run(function()
            local six = udp.open { family = "ipv6", v6only = true }
            assert.is_true(six:getoption "v6only")
            assert.is_nil((udp.open { family = "ipv4" }:getoption "v6only"))
        end)
    end)

    it("gives the pending error once", function()
        quoll.run(function()
            local client = udp.refused()
            client:send "x"
            assert.equal("connection refused", client:getoption "error")
            assert.is_nil(client:getoption "error")
        end)
    end)

    it("refuses what is none", function()
        quoll.run(function()
            local u = udp.open()
            pair.raises(function() u:getoption "speed" end, "'getoption'")
            pair.raises(function() u:setoption("ttl", true) end, "'ttl'")
            pair.raises(function() u:setoption("broadcast", 1) end,
                "'broadcast' to 'setoption'")
            pair.raises(function() u:setoption("error", 1) end, "only be read")
            pair.raises(function() u:getoption "multicast-interface" end,
                "only be set")
            pair.raises(function() u:setoption("multicast-interface", {}) end,
                "'interface' to 'setoption'")
            assert.same({ nil, "no such device", "ENODEV" },
                { u:setoption("multicast-interface", "none0") })
            assert.equal("EINVAL", select(3, u:setoption("ttl", 1000)))
        end)
    end)
end)
