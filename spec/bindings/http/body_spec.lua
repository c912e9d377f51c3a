local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local POST = "POST /%s HTTP/1.1\nHost: a\n"
local CHUNKED = POST .. "Transfer-Encoding: chunked\n\n"

describe("bindings/http/body", function()
    helper.gates()

    it("is the same wherever it is cut", http.with(function(req)
        local body = assert(req:body())
        return body .. "|" .. tostring(req:trailers()["x-sum"])
    end, nil, function(connect)
        local c = connect()
        local coded = "3;a=b\r\nabc\r\n4\r\ndefg\r\n0\r\n"
            .. "X-Sum: 7\r\n\r\n"
        for at = 1, #coded - 1 do
            c:say(CHUNKED:format "")
            assert(c.conn:send(coded:sub(1, at)))
            quoll.sleep(0)
            assert(c.conn:send(coded:sub(at + 1)))
            assert.equal("abcdefg|7", c:hear().body)
        end
    end))

    it("leaves nothing of a body to the next request", http.with(function(req)
        if req.path == "/first" then
            req:chunks()()
        elseif req.path == "/all" then
            for _ in req:chunks() do end
        end
        return req.path
    end, nil, function(connect)
        local c = connect()
        for _, name in ipairs { "all", "first" } do
            c:say(CHUNKED:format(name) .. "3\nabc\n")
            quoll.sleep(0.01)
            c:say "0\n\n"
            assert.equal("/" .. name, c:hear().body)
            c:say(POST:format "part" .. "Content-Length: 2\n\nab")
            assert.equal("/part", c:hear().body)
        end
    end))

    it("refuses more than it may be", http.with(function(req)
        local max = req.path == "/five" and 5 or nil
        local body, err, code = req:body(max)
        return body or table.concat({ err, code }, " ")
    end, { body = 10 }, function(connect)
        for _, request in ipairs {
            POST:format "" .. "Content-Length: 11\n\n12345678901",
            POST:format "five" .. "Content-Length: 6\n\n123456",
            CHUNKED:format "" .. "6\nabcdef\n6\nabcdef\n0\n\n",
        } do
            assert.equal("body too large EMSGSIZE",
                http.ask(connect, request).body)
        end
        assert.equal("1234567890", http.ask(connect,
            POST:format "" .. "Content-Length: 10\n\n1234567890").body)
    end))
end)
