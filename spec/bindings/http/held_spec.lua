local helper = require "spec.helper"
local http = require "spec.support.http"
local raw = require "quoll.http.core"

local FIRST = "POST /first?a=b HTTP/1.1\nHost: One:80\nA: \t x \nB:y\n"
    .. "Content-Length: 2\n\nhi"
local SECOND = "\nGET /second HTTP/1.0\nHost: two\nConnection: keep-alive\n\n"

describe("bindings/http/held", function()
    helper.gates()

    it("is a copy that stays, its connection does not", function()
        local held = {}
        http.run(function(req)
            held[#held + 1] = req
            return "done"
        end, nil, function(connect)
            local c = connect()
            c:say(FIRST .. SECOND)
            c:hear()
            c:hear()
            c.conn:close()
        end)
        local first, second = held[1], held[2]
        assert.same({ "POST", "/first", "a=b", "one", "x", "y", 2, 1 },
            { first.method, first.path, first.querystring, first.host,
              first:header "a", first:header "b", first.length, first.id })
        assert.same({ "/second", "1.0", "two", 2 }, { second.target,
            second.version, second:header "host", second.id })
        assert.same({ nil, "closed", "CLOSED" }, { first:body() })
        assert.is_nil(raw.connection(second))
        assert.is_nil(second.peer)
    end)

    it("keeps what is its own with it", function()
        local kept
        http.run(function(req)
            raw.own(req)[1] = "x"
            kept = req
            return "done"
        end, nil, function(connect)
            http.ask(connect, FIRST)
        end)
        collectgarbage()
        assert.equal("x", raw.own(kept)[1])
        assert.has_error(function() raw.own({}) end)
    end)
end)
