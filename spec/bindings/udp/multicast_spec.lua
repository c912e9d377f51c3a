local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local LO = { interface = "lo" }

-- A socket that hears, one that sends by the loopback interface, the port.
local function hearing(any, family)
    local ear = udp.open { bind = any .. ":0" }
    local mouth = udp.open { family = family }
    assert(mouth:setoption("multicast-interface", "lo"))
    return ear, mouth, select(2, ear:getsockname())
end

describe("bindings/udp/multicast", function()
    helper.gates()

    it("hears a group while it is in it", function()
        quoll.run(function()
            local ear, mouth, port = hearing("0.0.0.0", "ipv4")
            local group = "239.77.1.2"
            assert.is_true(ear:join(group, LO))
            assert.same({ nil, "address already in use", "EADDRINUSE" },
                { ear:join(group, LO) })
            assert(mouth:sendto("hello", group, port))
            assert.equal("hello", ear:receive())
            assert.is_true(ear:leave(group, { interface = 1 }))
            assert.same({ nil, "cannot assign requested address",
                "EADDRNOTAVAIL" }, { ear:leave(group, LO) })
            -- Sends may fail now: nobody listens.
            mouth:sendto("unheard", group, port)
            ear:settimeout(0.001)
            assert.equal("timeout", select(2, ear:receive()))
        end)
    end)

    -- The loopback interface has no route for these, so in a network of its
    -- own, which takes a privileged user.
    it("hears one of IPv6", function()
        local result = helper.script [[
            local ffi = require "ffi"
            ffi.cdef "int unshare(int flags);"
            if ffi.C.unshare(0x40000000) ~= 0 or os.execute(
                "ip link add v0 type veth peer name v1 && ip link set v1 up "
                .. "&& ip link set v0 up "
                .. "&& ip addr add fd00::1/64 dev v0 nodad") ~= 0 then
                print "no network"
                return
            end
            local udp = require "spec.support.udp"
            require("quoll").run(function()
                local ear = udp.open { bind = "[::]:0" }
                local mouth = udp.open { family = "ipv6" }
                local group, v0 = "ff02::7712", { interface = "v0" }
                local port = select(2, ear:getsockname())
                assert(mouth:setoption("multicast-interface", "v0"))
                assert(ear:join(group, v0))
                print(select(2, ear:join(group, v0)))
                assert(mouth:setoption("multicast-loop", false))
                assert(mouth:sendto("unheard", group, port))
                assert(mouth:setoption("multicast-loop", true))
                assert(mouth:sendto("hello", group, port))
                print((ear:receive()))
                print(ear:leave(group, v0))
            end)
        ]]
        assert.equal(0, result.code, result.err)
        if result.out:find "no network" then
            return pending "needs a network namespace"
        end
        assert.equal("address already in use\tEADDRINUSE\nhello\ntrue\n",
            result.out)
    end)

    it("hears one source alone", function()
        quoll.run(function()
            local ear, mouth, port = hearing("0.0.0.0", "ipv4")
            local group = "232.77.1.2"
            local function from(source)
                return { interface = "lo", source = source }
            end
            assert(ear:join(group, from "127.0.0.77"))
            local other = udp.open { bind = "127.0.0.77:0" }
            assert(other:setoption("multicast-interface", "lo"))
            mouth:sendto("unheard", group, port)
            other:sendto("heard", group, port)
            assert.equal("heard", ear:receive())
            assert.is_true(ear:leave(group, from "127.0.0.77"))
        end)
    end)

    it("refuses what is no group", function()
        quoll.run(function()
            local u = udp.open()
            assert.equal("EINVAL", select(3, u:join "127.0.0.1"))
            assert.equal("ENOTFOUND", select(3, u:join "group"))
            assert.same({ nil, "no such device", "ENODEV" },
                { u:join("239.77.1.2", { interface = "none0" }) })
            pair.raises(function() u:join(5) end, "'join'")
            pair.raises(function() u:join("239.77.1.2", { from = 1 }) end,
                "no option 'from'")
            pair.raises(function()
                u:leave("239.77.1.2", { interface = {} })
            end, "'interface' to 'leave'")
        end)
    end)
end)
