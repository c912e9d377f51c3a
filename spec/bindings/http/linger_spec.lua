local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local POST = "POST / HTTP/1.1\nHost: a\nContent-Length: 20000000\n"
    .. "Connection: close\n\n"

local function answer()
    return "no"
end

describe("bindings/http/linger", function()
    helper.gates()

    it("sends its end first, and waits for the client's", http.with(answer,
        nil, function(connect)
        local c = connect()
        c:say(POST)
        assert.equal("no", c:hear().body)
        assert.equal("", (c:ended()))
        -- Ours is still open: what we send is read, and resets nothing.
        assert(c.conn:send "late")
        quoll.sleep(0)
        assert(c.conn:send "later")
    end))

    it("lets the client read an answer that comes before its body is sent",
        http.with(answer, nil, function(connect)
            local c = connect()
            c:say "POST /early HTTP/1.1\nHost: a\nContent-Length: 10000000\n\n"
            local sent = quoll.spawn(function()
                c.conn:send(("x"):rep(500000))
            end)
            assert.equal("no", c:hear().body)
            sent:wait()
            assert.equal("", c:ended())
        end))
end)
