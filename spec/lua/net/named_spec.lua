local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local quoll = require "quoll"
local udp = require "spec.support.udp"

-- A body for `it`: fn(port) runs beside a name server that knows two.test, and
-- a datagram socket of IPv4 that sends back what it gets.
local function with(fn)
    return function()
        nameserver.with(function(q)
            if q.name == "two.test" then
                return nameserver.says(60,
                    q.type == "A" and "127.0.0.1" or "::1")(q)
            elseif q.name ~= "slow.test" then
                return nameserver.reply(q, { rcode = 3 })
            end
        end, function()
            local echo = udp.open { bind = "127.0.0.1:0" }
            local port = select(2, echo:getsockname())
            local task = quoll.spawn(function()
                while true do
                    echo:sendto(echo:receivefrom())
                end
            end)
            fn(port)
            task:cancel()
        end)
    end
end

describe("lua/quoll/net/named", function()
    helper.gates()

    it("finds the address that the socket can send to", with(function(port)
        local four = udp.open { family = "ipv4" }
        assert.equal(2, four:sendto("hi", "two.test", port))
        assert.equal("hi", four:receive())
        assert.equal(2, four:sendto("ho", "two.test:" .. port))
        assert.equal("ho", four:receive())
        assert.is_true(four:setpeername("two.test", port))
        assert.equal("127.0.0.1", (four:getpeername()))
        assert.equal(3, four:send "hey")
        assert.equal("hey", four:receive())
        local six = udp.open { family = "ipv6" }
        assert.is_true(six:setpeername("two.test:" .. port))
        assert.equal("::1", (six:getpeername()))
    end))

    it("says that there is none, or none in time", with(function(port)
        local u = udp.open()
        local missing = { nil, "host not found", "ENOTFOUND" }
        assert.same(missing, { u:sendto("x", "none.test", port) })
        assert.same(missing, { u:setpeername("none.test", port) })
        assert.same({ nil, "host not found", 0, "ENOTFOUND" },
            { u:sendmany { { "x", "two.test", port } } })
        u:settimeout(0.01)
        local late = { nil, "timeout", "TIMEOUT" }
        assert.same(late, { u:sendto("x", "slow.test", port) })
        assert.same(late, { u:setpeername("slow.test", port) })
    end))
end)
