local helper = require "spec.helper"
local http = require "spec.support.http"
local raw = require "quoll.http.core"
local HEAD = require("quoll.http.message").HEAD

local REQUEST = "GET / HTTP/1.1\nHost: a\nX-A: 1\nx-a:  two \nCookie: b=1\n"
    .. "cookie: c=2\nEmpty:\n\n"

describe("bindings/http/fields", function()
    helper.gates()

    it("finds header fields in any case, in their order", function()
        local ok, err
        http.run(function(req)
            ok, err = pcall(function()
                assert.equal("1", req:header "X-a")
                assert.is_nil(req:header "X-B")
                assert.same({ "1", "two" }, req:header_values "x-A")
                assert.same({}, req:header_values "none")
                assert.equal("", req:header "empty")
                assert.equal("1, two", req.headers["X-A"])
                assert.equal("b=1; c=2", req.headers.cookie)
                assert.is_nil(req.headers.none)
                assert.is_nil(req.headers[1])
                local names = {}
                for name, value in req:each_header() do
                    names[#names + 1] = name .. "=" .. value
                end
                assert.same({ "Host=a", "X-A=1", "x-a=two", "Cookie=b=1",
                    "cookie=c=2", "Empty=" }, names)
                assert.has_error(function() req:header(1) end)
            end)
            return "done"
        end, nil, function(connect)
            http.ask(connect, REQUEST)
        end)
        assert(ok, err)
    end)

    it("tells whether something is asked for in part, or on a condition",
        http.with(function(req)
            return tostring(raw.selective(req[HEAD]))
        end, nil, function(connect)
            local c = connect()
            for line, expected in pairs { ["Range: bytes=0-1"] = true,
                ["rAnGe:"] = true, ["IF-NONE-MATCH: *"] = true,
                ["if-range: x"] = true, ["Ranger: 1"] = false,
                ["Accept-Ranges: 1"] = false, ["I: if-match"] = false,
                ["X: range:\nR: 1"] = false, ["Y: \nif-match:"] = true,
                ["Z: 1"] = false }
            do
                c:say("GET / HTTP/1.1\nHost: a\n" .. line .. "\n\n")
                assert.equal(tostring(expected), c:hear().body)
            end
            c.conn:close()
        end))
end)
