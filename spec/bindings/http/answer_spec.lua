local helper = require "spec.helper"
local http = require "spec.support.http"

local GET = "GET / HTTP/1.1\nHost: a\n\n"

describe("bindings/http/answer", function()
    helper.gates()

    local function head_of(headers, opts)
        local head
        http.run(function() return 200, "x", headers end, opts,
            function(connect) head = http.ask(connect, GET).head end)
        return head
    end

    it("names itself when it is told to", function()
        assert.truthy(head_of(nil, { server = "quoll" })
            :find("\r\nServer: quoll\r\n", 1, true))
        assert.truthy(head_of({ server = "x" }, { server = "quoll" })
            :find("\r\nserver: x\r\n", 1, true))
        assert.falsy(head_of():find "Server")
    end)

    it("closes when the handler says so", function()
        assert.truthy(head_of({ connection = "Close" })
            :find("\r\nConnection: close", 1, true))
    end)

    it("says the same of a plain answer as of any other", function()
        local function without_date(head)
            return (head:gsub("\r\nDate: [^\r]+", "\r\nDate:", 1))
        end
        for _, opts in ipairs { {}, { server = "quoll" } } do
            local plain = without_date(head_of(nil, opts))
            assert.truthy(plain:find("\r\nDate:", 1, true))
            assert.equal(plain, without_date(head_of({}, opts)))
        end
    end)

    it("has the length of each of its bodies", http.with(function(req)
        return ("x"):rep(tonumber(req.querystring))
    end, { server = ("s"):rep(100) }, function(connect)
        local c = connect()
        for _, n in ipairs { 1, 1, 9, 10, 99, 100, 1, 4095, 12345, 10, 10 } do
            c:say(("GET /?%d HTTP/1.1\nHost: a\n\n"):format(n))
            assert.equal(n, #c:hear().body)
        end
    end))
end)
