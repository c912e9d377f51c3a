local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

describe("bindings/http/hijack", function()
    helper.gates()

    it("gives the connection with what is unread", http.with(function(req)
        local conn = assert(req:hijack())
        assert.is_nil(req:hijack())
        assert.equal("unread", conn:receive(6))
        conn:send "taken"
    end, nil, function(connect)
        local c = connect()
        c:say "GET /first HTTP/1.1\nHost: a\n\nunread"
        assert.equal("taken", c:ended())
    end))

    it("gives it to who owns it", function()
        local given = quoll.sync.channel(1)
        http.run(function(req)
            given:send(req:hijack():disown())
        end, nil, function(connect)
            local c = connect()
            c:say "GET / HTTP/1.1\nHost: a\n\n"
            local conn = given:receive(http.PATIENCE)
            quoll.sleep(0.01)
            conn:send "still here"
            conn:close()
            assert.equal("still here", c:ended())
        end)
    end)

    it("leaves the answers before it to go out first", http.with(
        function(req)
            if req.path == "/take" then
                req:hijack():send "bytes"
                return
            end
            return "answer"
        end, nil, function(connect)
            local c = connect()
            c:say("GET / HTTP/1.1\nHost: a\n\n"
                .. "GET /take HTTP/1.1\nHost: a\n\n")
            assert.equal("answer", c:hear().body)
            assert.equal("bytes", c:ended())
        end))
end)
