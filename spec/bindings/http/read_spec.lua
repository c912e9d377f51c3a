local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local POST = "POST /%s HTTP/1.1\nHost: a\n"
local CHUNKED = POST .. "Transfer-Encoding: chunked\n\n"

describe("bindings/http/read", function()
    helper.gates()

    it("gives a body whole", http.with(function(req)
        local body = assert(req:body())
        return body .. "," .. tostring(req.length) .. ","
            .. (req:body() == body and "again" or "")
    end, nil, function(connect)
        local c = connect()
        c:say(POST:format "" .. "Content-Length: 5\n\n12345")
        assert.equal("12345,5,again", c:hear().body)
        c:say(CHUNKED:format "" .. "3\nabc\n4;x=y\ndefg\n0\n\n")
        assert.equal("abcdefg,nil,again", c:hear().body)
        c:say "GET / HTTP/1.1\nHost: a\n\n"
        assert.equal(",0,again", c:hear().body)
    end))

    it("asks for no body that is too large as a whole", http.with(
        function(req)
            for _ in req:chunks() do end
            return "all"
        end, { body_max = 4 }, function(connect)
            local c = connect()
            c:say(POST:format "" .. "Expect: 100-continue\n"
                .. "Content-Length: 5\n\n")
            assert.equal(413, c:hear().status)
            c = connect()
            c:say(POST:format "" .. "Content-Length: 4\n\n1234")
            assert.equal("all", c:hear().body)
        end))

    it("gives it as it comes", http.with(function(req)
        local seen = {}
        for piece in req:chunks(4) do
            assert.truthy(#piece >= 1 and #piece <= 4)
            seen[#seen + 1] = piece
        end
        return table.concat(seen) .. "|" .. tostring(req:trailers()["X-SUM"])
    end, nil, function(connect)
        local c = connect()
        c:say(POST:format "" .. "Content-Length: 9\n\n12345")
        quoll.sleep(0)
        c:say "6789"
        assert.equal("123456789|nil", c:hear().body)
        c:say(CHUNKED:format "" .. "a\n0123456789\n")
        quoll.sleep(0)
        c:say "1\n!\n0\nX-Sum: 7\n\n"
        assert.equal("0123456789!|7", c:hear().body)
    end))

    it("says go ahead at the first read, and only then", http.with(
        function(req)
            return req.path == "/read" and req:body() or "unread"
        end, nil, function(connect)
            local expect = "Content-Length: 3\nExpect: 100-continue\n\n"
            local c = connect()
            c:say(POST:format "read" .. expect)
            assert.equal("HTTP/1.1 100 Continue\r\n\r\n",
                c.conn:receive(25))
            c:say "abc"
            assert.equal("abc", c:hear().body)
            c:say(POST:format "no" .. expect)
            local answer = c:hear()
            assert.equal("unread", answer.body)
            assert.truthy(answer.head:find("Connection: close", 1, true))
        end))

    it("tells of a body that is cut, malformed or late", function()
        local seen = {}
        http.run(function(req)
            local body, err, code = req:body()
            seen[req.path] = body or err .. " " .. code
            return "x"
        end, { body_timeout = 0.05 }, function(connect)
            local late = connect()
            late:say(POST:format "late" .. "Content-Length: 3\n\na")
            assert.truthy(late:hear().head:find "close")
            local bad = connect()
            bad:say(CHUNKED:format "bad" .. "zz\n\n")
            assert.truthy(bad:hear().head:find "close")
            local cut = connect()
            cut:say(POST:format "cut" .. "Content-Length: 3\n\na")
            cut.conn:shutdown "send"
            cut:ended()
        end)
        assert.same({ ["/late"] = "timeout TIMEOUT",
            ["/bad"] = "bad message EBADMSG", ["/cut"] = "closed CLOSED" },
            seen)
    end)

    it("ends with the request", function()
        local kept
        http.run(function(req)
            kept = kept or req
            return "x"
        end, nil, function(connect)
            local c = connect()
            c:say(POST:format "kept" .. "X: y\nContent-Length: 1\n\na")
            c:hear()
            assert.equal("/kept", kept.path)
            assert.equal("y", kept:header "x")
            assert.same({ nil, "closed", "CLOSED" }, { kept:body() })
            assert.has_error(function() kept:chunks()() end)
        end)
        assert.equal("POST", kept.method)
    end)
end)
