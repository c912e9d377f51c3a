local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.%d\nHost: a\n%s\n"

-- A function that gives the values one after the other.
local function giving(...)
    local values, i = { ... }, 0
    return function()
        i = i + 1
        return values[i]
    end
end

describe("lua/http/pull", function()
    helper.gates()

    it("sends a function's pieces as chunks", http.with(function()
        return 200, giving("one", 2, "", { "t", { "hree" } })
    end, nil, function(connect)
        local c = connect()
        c:say(GET:format("", 1, ""))
        local head = c:hear().head
        assert.truthy(head:find("Transfer-Encoding: chunked", 1, true))
        assert.equal("3\r\none\r\n1\r\n2\r\n5\r\nthree\r\n0\r\n\r\n",
            c.conn:receive(29))
        c:say(GET:format("", 1, ""))
        c:hear()
    end))

    it("sends them up to the end of an old client's connection", http.with(
        function() return 200, giving("a", "b") end, nil, function(connect)
            local c = connect()
            c:say(GET:format("", 0, "Connection: keep-alive\n"))
            local head = c:hear().head
            assert.truthy(head:find("Connection: close", 1, true))
            assert.falsy(head:find "chunked")
            assert.equal("ab", c:ended())
        end))

    it("lets the head leave while the first piece is waited for", http.with(
        function()
            return 200, function() quoll.sleep(60) end
        end, nil, function(connect)
            local c = connect()
            c:say(GET:format("", 1, ""))
            assert.equal(200, c:hear().status)
            c.conn:close()
        end))

    it("cuts the connection when the function fails", http.with(
        function(req)
            return 200, function()
                if req.path == "/raise" then
                    error "secret"
                elseif req.path == "/bad" then
                    return true
                end
                return nil, "no more"
            end
        end, nil, function(connect)
            for _, name in ipairs { "raise", "bad", "nil" } do
                local c = connect()
                c:say(GET:format(name, 1, ""))
                local all = c:ended()
                assert.falsy(all:find "\r\n0\r\n\r\n$")
                assert.truthy(helper.injected
                    or all:find "chunked\r\n\r\n$")
            end
        end))
end)
