local helper = require "spec.helper"
local http = require "spec.support.http"

local GET = "GET / HTTP/1.1\nHost: a\n\n"

describe("bindings/http/headers", function()
    helper.gates()

    local function head_of(headers)
        local head
        http.run(function() return 200, "x", headers end, nil,
            function(connect) head = http.ask(connect, GET).head end)
        return head
    end

    it("leaves out what is the server's to say", function()
        local head = head_of { ["Content-Length"] = 99,
            ["transfer-encoding"] = "chunked", Connection = "keep-alive" }
        assert.truthy(head:find("Content-Length: 1", 1, true))
        assert.falsy(head:lower():find "transfer")
        assert.falsy(head:find "keep-alive")
    end)

    it("lets an offer to upgrade through (RFC 9110, 7.8)", function()
        local head = head_of { Upgrade = "x", Connection = "Upgrade" }
        assert.truthy(head:find("\r\nConnection: Upgrade\r\n", 1, true))
    end)

    it("writes long headers whole", function()
        local value = ("y"):rep(100000)
        assert.truthy(head_of({ ["X-Long"] = value }):find(value, 1, true))
    end)

    it("lets no value end a line", function()
        for _, headers in ipairs {
            { A = "b\r\nC: d" }, { A = "b\nC: d" }, { A = "b\0" },
            { A = { "b", "c\rd" } }, { ["A\r\nB"] = "c" }, { ["A:"] = "b" },
            { [""] = "b" }, { "b" }, { A = true }, { A = {{}} },
            { A = print },
        } do
            local seen
            http.run(function() return 200, "x", headers end,
                { onerror = function(err) seen = err end },
                function(connect)
                    assert.equal(500, http.ask(connect, GET).status)
                end)
            assert.truthy(seen:find "header")
        end
    end)
end)
