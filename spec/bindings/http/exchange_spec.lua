local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

describe("bindings/http/exchange", function()
    helper.gates()

    it("keeps apart what many connections are at", http.with(function(req)
        quoll.sleep(0)
        return req.path
    end, nil, function(connect)
        local all = {}
        for i = 1, 100 do
            all[i] = connect()
            all[i]:say "GE"
        end
        for i, c in ipairs(all) do
            c:say((GET):format(i):sub(3))
        end
        for i, c in ipairs(all) do
            assert.equal("/" .. i, c:hear().body)
        end
    end))

    it("lets a connection be closed at any point", http.with(function(req)
        if req.path == "/body" then
            return req:body()
        end
        return ("x"):rep(100000)
    end, nil, function(connect)
        for _, text in ipairs { "", "G", GET:format "", GET:format "" .. "G",
            "POST /body HTTP/1.1\nHost: a\nContent-Length: 9\n\n1", "bad\n\n",
            "POST /x HTTP/1.1\nHost: a\nContent-Length: 9\n\n1" } do
            local c = connect()
            c:say(text)
            quoll.sleep(0)
            c.conn:close()
        end
    end))

    it("is taken from a request that was not answered", function()
        local req
        http.run(function(r)
            req = r
            error("x", 0)
        end, { onerror = function() end }, function(connect)
            assert.equal(500, http.ask(connect, GET:format "").status)
        end)
        assert.is_nil(req:hijack())
        assert.is_nil(req.peer)
    end)
end)
