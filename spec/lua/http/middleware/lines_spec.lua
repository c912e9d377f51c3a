local json = require "quoll.http.syntax.json"
local lines = require "quoll.http.middleware.lines"
local request = require "spec.support.request"

local EVIL = '"\n\r\0\27[31m\\\127\255" 200'

local function req(fields)
    fields = fields or {}
    fields.target = fields.target or "/a?b"
    return request(fields)
end

local sent = { referer = "http://x/", ["user-agent"] = "agent/1" }

describe("quoll.http.middleware.lines", function()
    it("writes what others can read", function()
        assert.matches('^192%.0%.2%.1 %- ann %[%d%d/%a%a%a/%d%d%d%d:%d%d:%d%d:'
            .. '%d%d [+-]%d%d%d%d%] "GET /a%?b HTTP/1%.1" 200 5$',
            lines.common()(req { user = "ann" }, 200, 5, 1))
        assert.matches('" 304 %- "http://x/" "agent/1"$',
            lines.combined()(req { sent = sent }, 304, 0, 1))
        assert.matches('%- %- %[.* "%-" "%-"$',
            lines.combined()(req {}, 200, 1, 1))
    end)

    it("writes JSON", function()
        local value = json.decode(lines.json()(req { sent = sent }, 200, 5,
            0.25))
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", value.time)
        value.time = nil
        local null = require("cjson").null
        assert.same({ peer = "192.0.2.1", method = "GET", target = "/a?b",
            host = "example.org", version = "1.1", status = 200, bytes = 5,
            seconds = 0.25, referer = "http://x/", agent = "agent/1",
            user = null }, value)
    end)

    it("lets nobody forge a line", function()
        local evil = req { target = "/" .. EVIL, user = EVIL, host = EVIL,
            sent = { referer = EVIL, ["user-agent"] = EVIL } }
        for _, name in ipairs { "common", "combined", "json" } do
            local line = lines[name]()(evil, 200, 1, 1)
            assert.is_nil(line:find "[%z\1-\31\127-\255]", name)
            assert.equal(name == "common" and 2 or name == "combined" and 6
                or 0, name == "json" and 0 or select(2, line:gsub('"', "")))
        end
        assert.equal("/\"\\x0A\\x0D\\x00\\x1B[31m\\\\x7F\\xFF\" 200",
            json.decode(lines.json()(evil, 200, 1, 1)).target)
    end)
end)
