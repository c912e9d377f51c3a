local helper = require "spec.helper"
local pair = require "spec.support.pair"

describe("conn:idle", function()
    helper.gates()

    it("names itself when it is misused", pair.with(function(client)
        pair.raises(function()
            client.idle({})
        end, "idle_spec.lua:%d+: bad argument 'self' to 'idle'")
    end))
end)
