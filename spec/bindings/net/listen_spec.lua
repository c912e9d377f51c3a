local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function accepted(address, opts)
    local listener = assert(quoll.listen(address, opts))
    local client = assert(quoll.connect(listener:address()))
    local server = assert(listener:accept(pair.PATIENCE))
    listener:close()
    client:close()
    return server
end

describe("bindings/net/listen", function()
    helper.gates()

    it("passes socket options on to what is accepted", function()
        quoll.run(function()
            local conn = accepted("127.0.0.1:0", { options = {
                keepalive = true, keepidle = 33, ["tcp-nodelay"] = false } })
            assert.is_true(conn:getoption "keepalive")
            assert.equal(33, conn:getoption "keepidle")
            assert.is_false(conn:getoption "tcp-nodelay")
            assert.is_true(accepted("127.0.0.1:0"):getoption "tcp-nodelay")
        end)
    end)

    it("takes the others", function()
        quoll.run(function()
            assert(quoll.listen("[::1]:0", { backlog = 7, reuseport = true,
                freebind = true, deferred = 1, fastopen = 5, v6only = true }))
            local name = os.tmpname()
            os.remove(name)
            assert(quoll.listen("unix:" .. name,
                { permissions = tonumber("600", 8) }))
            local pipe = io.popen("stat -c %a " .. name)
            assert.equal("600", pipe:read())
            pipe:close()
        end)
    end)

    local refused = {
        { { deferred = -1 }, "bad argument 'deferred' to 'listen'" },
        { { fastopen = 0.5 }, "bad argument 'fastopen' to 'listen'" },
        { { permissions = 384 }, "'permissions' is for unix sockets" },
        { { uid = 0 }, "'uid' is for unix sockets with a path" },
        { { options = { nope = 1 } }, "bad argument 'option' to 'listen'" },
        { { freebind = 1 }, "bad argument 'freebind' to 'listen'" },
    }

    for _, case in ipairs(refused) do
        it("refuses " .. (next(case[1])) .. ": " .. case[2], function()
            pair.raises(function()
                quoll.listen("127.0.0.1:0", case[1])
            end, "listen_spec.lua:%d+: .*" .. case[2])
        end)
    end

    it("fails with the system's words", function()
        local _, err, code = quoll.listen("192.0.2.1:0")
        assert.same({ "cannot assign requested address", "EADDRNOTAVAIL" },
            { err, code })
    end)
end)
