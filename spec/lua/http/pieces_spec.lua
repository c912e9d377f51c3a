local buffer = require "string.buffer"
local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"
local LONG = ("0123456789"):rep(helper.injected and 1000 or 30000)

describe("lua/http/pieces", function()
    helper.gates()

    local path

    setup(function()
        path = os.tmpname()
        local f = assert(io.open(path, "w"))
        f:write "in a file"
        f:close()
    end)

    teardown(function() os.remove(path) end)

    it("sends every kind of body with its length", function()
        http.run(function(req)
            local file = assert(quoll.open(path))
            local bodies = {
                ["/number"] = 12,
                ["/list"] = { "a", 1, { "b", { "" } } },
                ["/file"] = file,
                ["/part"] = quoll.http.part(file, 3, 4),
                ["/mixed"] = { "<", quoll.http.part(file, 5), ">", LONG, "." },
                ["/buffer"] = buffer.new():put("in a buffer"),
                ["/long"] = LONG,
            }
            return 200, bodies[req.path]
        end, nil, function(connect)
            local c = connect()
            for name, body in pairs { number = "12", list = "a1b",
                file = "in a file", part = "a fi", mixed = "<file>" .. LONG
                .. ".", buffer = "in a buffer", long = LONG, none = "" } do
                c:say(GET:format(name))
                assert.equal(body, c:hear().body)
            end
        end)
    end)

    it("sends long ones that are pipelined in their order", http.with(
        function(req) return req.path .. LONG end, nil, function(connect)
            local c = connect()
            c:say((GET .. GET .. GET):format("a", "b", "c"))
            for name in ("abc"):gmatch "." do
                assert.equal("/" .. name .. LONG, c:hear().body)
            end
        end))

    it("sends no body where none belongs", http.with(function(req)
        if req.path == "/304" then
            return 304, nil, { ["Content-Length"] = 7 }
        elseif req.path == "/204" then
            return 204, "text"
        elseif req.path == "/fn" then
            return 200, function() error "pulled" end
        end
        return 200, req.path == "/list" and { "ab", "c" } or "abc"
    end, nil, function(connect)
        local c = connect()
        local function head(method, name)
            c:say(method .. " /" .. name .. " HTTP/1.1\nHost: a\n\n")
            return c:hear(true).head
        end
        assert.truthy(head("HEAD", ""):find "Length: 3")
        assert.truthy(head("HEAD", "list"):find "Length: 3")
        assert.truthy(head("HEAD", "fn"):find "chunked")
        assert.truthy(head("GET", "304"):find "Length: 7")
        assert.falsy(head("GET", "204"):find "Length")
        c:say(GET:format "")
        assert.equal("abc", c:hear().body)
    end))

    it("cuts the connection where a file is shorter than its part", function()
        http.run(function()
            return 200, setmetatable({ file = assert(quoll.open(path)),
                offset = 0, n = 100 }, require("quoll.http.part").type)
        end, nil, function(connect)
            local c = connect()
            c:say(GET:format "")
            assert.equal("in a file",
                c:ended():match "Length: 100\r\n\r\n(.*)$")
        end)
    end)
end)
