local certs = require "spec.support.certs"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("bindings/tls/context", function()
    helper.gates()

    local core

    setup(function()
        quoll.tls.context { verify = false }
        core = require "quoll.core.tls"
    end)

    it("is made by a thread, and by nobody's leave a task", function()
        local made
        quoll.run(function()
            local making = quoll.spawn(quoll.tls.context, {
                ca = certs.authority("ca").cert })
            making:cancel()
            made = { making:wait(tls.PATIENCE) }
        end)
        assert.same({ nil, "cancelled", "CANCELLED" }, made)
    end)

    it("can be no other userdata", function()
        quoll.run(function()
            local client = pair.connect()
            for _, value in ipairs { newproxy(true), client, {}, 1 } do
                pair.raises(function() core.start(client, value) end,
                    "bad argument 'context' to 'starttls'")
            end
            assert.equal("tls context", getmetatable(
                quoll.tls.context({ verify = false }).raw))
            pair.raises(function()
                core.start({}, quoll.tls.context({ verify = false }).raw)
            end, "bad argument 'self' to 'starttls'")
        end)
    end)
end)
