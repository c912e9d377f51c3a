local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

describe("bindings/http/flush", function()
    helper.gates()

    it("waits for a client that reads slowly", http.with(function(req)
        return req.path .. ("x"):rep(helper.injected and 10000 or 8000000)
    end, nil, function(connect)
        local c = connect()
        c:say((GET .. GET):format("a", "b"))
        quoll.sleep(0.01)
        for name in ("ab"):gmatch "." do
            local answer = c:hear()
            assert.equal("/" .. name, answer.body:sub(1, 2))
        end
    end))

    it("gives up on one that does not read", function()
        if helper.injected then
            pending("a client that reads byte by byte does not stall it")
            return
        end
        local sent
        http.run(function()
            sent = quoll.now()
            return ("x"):rep(20000000)
        end, { send_timeout = 0.05 }, function(connect)
            local c = connect()
            local before = quoll.http.stats().timeouts
            c:say(GET:format "")
            repeat
                quoll.sleep(0.01)
            until quoll.http.stats().timeouts > before
            assert.truthy(#c.conn:receive "*a" < 20000000)
        end)
        assert.truthy(sent)
    end)

    it("lets many pipelined answers leave together", http.with(function()
        return "x"
    end, { requests = math.huge }, function(connect)
        local c = connect()
        c:say((GET:format ""):rep(10))
        local first = c.conn:receiveany(100000)
        local _, n = first:gsub("HTTP/1.1 200 OK", "")
        assert.truthy(n == 10 or helper.injected)
    end))
end)
