local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local retry = require "quoll.http.client.retry"

local function answer(status, after)
    return { status = status, header = function(_, name)
        assert.equal("retry-after", name)
        return after
    end }
end

describe("quoll.http.client.retry", function()
    helper.gates()

    it("waits longer each time", function()
        local policy = retry.policy { times = 4, backoff = 1, max = 3 }
        for n, most in ipairs { 1, 2, 3, 3 } do
            local pause = retry.pause(policy, n, nil, "ECONNREFUSED")
            assert.truthy(pause >= most / 2 and pause <= most)
        end
        assert.is_nil(retry.pause(policy, 5, nil, "ECONNREFUSED"))
        assert.is_nil(retry.pause(retry.policy(nil), 1, nil, "CLOSED"))
        assert.truthy(retry.pause(retry.policy(1), 1, nil, "CLOSED"))
    end)

    it("is for what another time may work", function()
        local policy = retry.policy(1)
        for _, status in ipairs { 429, 502, 503, 504 } do
            assert.truthy(retry.pause(policy, 1, answer(status)))
        end
        for _, status in ipairs { 400, 404, 500, 501 } do
            assert.is_nil(retry.pause(policy, 1, answer(status)))
        end
        for _, code in ipairs { "TIMEOUT", "EPERM", "EMSGSIZE" } do
            assert.is_nil(retry.pause(policy, 1, nil, code))
        end
    end)

    it("waits as long as the server asks for, within limits", function()
        local policy = retry.policy { times = 1, max = 20 }
        assert.equal(7, retry.pause(policy, 1, answer(503, "7")))
        assert.equal(0, retry.pause(policy, 1, answer(503,
            "Sun, 06 Nov 1994 08:49:37 GMT")))
        local soon = os.date("!%a, %d %b %Y %H:%M:%S GMT",
            math.floor(quoll.time()) + 10)
        local pause = retry.pause(policy, 1, answer(503, soon))
        assert.truthy(pause > 7 and pause <= 10)
        assert.is_nil(retry.pause(policy, 1, answer(503, "21")))
        assert.truthy(retry.pause(policy, 1, answer(503, "soon")) <= 0.2)
    end)

    it("refuses bad settings", function()
        for _, bad in ipairs { -1, "x", { times = -1 }, { max = 0 / 0 },
            { often = 1 } } do
            pair.raises(function() retry.policy(bad) end,
                "retry_spec.*bad argument ")
        end
    end)
end)
