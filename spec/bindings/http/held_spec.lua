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
        assert.same({ nil, "closed", "CLOSED" }, { second:body() })
        assert.is_nil(second.peer)
    end)

    it("gives one head after the other, however they are looked at", function()
        local held = {}
        http.run(function(req)
            held[#held + 1] = req
            return "done"
        end, nil, function(connect)
            for i = 1, 20 do
                http.ask(connect, ("GET /%02d HTTP/1.1\nHost: a\nX: %02d\n\n")
                    :format(i, i))
            end
        end)
        for i = 20, 1, -1 do
            assert.equal(i, tonumber(held[i]:header "x"))
            assert.equal(i, tonumber(held[21 - i].headers.x) * -1 + 21)
            collectgarbage "step"
        end
    end)

    it("stands what a script writes over its own", function()
        http.run(function(req)
            local is = {}
            for key, value in pairs(req) do
                is[key] = value
            end
            for _, bad in ipairs { false, 1, "", "GET / HTTP/1.1\r\n", {} } do
                for key, value in pairs(is) do
                    req[key] = bad
                    pcall(req.body, req)
                    pcall(req.header, req, "host")
                    pcall(req.header_values, req, "host")
                    pcall(function() return req.headers, req.host, req.peer end)
                    req.headers, req[key] = nil, value
                end
            end
            return req:body()
        end, nil, function(connect)
            assert.equal("hi", http.ask(connect, FIRST).body)
        end)
    end)

    it("knows whether a message is the one that is out", function()
        local before
        http.run(function(req)
            local conn = before
            for _, value in pairs(req) do
                conn = type(value) == "userdata" and value or conn
            end
            assert.equal(conn, raw.current(conn, req.id))
            assert.is_nil(raw.current(conn, req.id + 1))
            assert.is_nil(raw.current(conn, "x"))
            assert.has_error(function() raw.current(req, req.id) end)
            before = conn
            return "done"
        end, nil, function(connect)
            local c = connect()
            c:say(FIRST)
            assert.equal("done", c:hear().body)
            assert.is_nil(raw.current(before, 1))
            c:say(SECOND)
            assert.equal("done", c:hear().body)
        end)
    end)
end)
