local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

describe("lua/http/server", function()
    helper.gates()

    it("answers with a string, or status, body and headers", http.with(
        function(req)
            if req.path == "/plain" then
                return "hello"
            end
            return 404, "gone", { ["X-A"] = { 1, "two" }, Date = "today",
                ["content-type"] = "a/b", ["X-No"] = false }
        end, nil, function(connect)
            local plain = http.ask(connect, GET:format "plain")
            assert.equal("hello", plain.body)
            assert.truthy(plain.head:find("HTTP/1.1 200 OK\r\n", 1, true))
            assert.truthy(plain.head:find "\r\nDate: %a%a%a, %d%d %a%a%a %d+ ")
            assert.truthy(plain.head:find("text/plain; charset=utf-8", 1, true))
            local gone = http.ask(connect, GET:format "x")
            assert.equal(404, gone.status)
            assert.truthy(gone.head:find("X-A: 1\r\nX-A: two", 1, true))
            assert.truthy(gone.head:find("Date: today", 1, true))
            assert.truthy(gone.head:find("content-type: a/b", 1, true))
            assert.falsy(gone.head:find("X-No", 1, true))
        end))

    it("keeps the connection, as the versions say", http.with(
        function(req) return req.version .. req.id end, { requests = 3 },
        function(connect)
            local c = connect()
            c:say(GET:format "")
            assert.equal("1.11", c:hear().body)
            c:say "GET / HTTP/1.0\nConnection: keep-alive\n\n"
            local old = c:hear()
            assert.equal("1.02", old.body)
            assert.truthy(old.head:find("Connection: keep-alive", 1, true))
            c:say(GET:format "")
            local last = c:hear()
            assert.truthy(last.head:find("Connection: close", 1, true))
            assert.equal("", c:ended())
            c = connect()
            c:say "GET / HTTP/1.0\n\n"
            assert.equal("1.01", c:hear().body)
            assert.equal("", c:ended())
        end))

    it("answers pipelined requests in their order", http.with(
        function(req)
            if req.path == "/wait" then
                quoll.sleep(0)
            end
            return req.path
        end, nil, function(connect)
            local c = connect()
            c:say((GET .. GET .. GET):format("a", "wait", "c"))
            assert.equal("/a", c:hear().body)
            assert.equal("/wait", c:hear().body)
            assert.equal("/c", c:hear().body)
        end))

    it("answers a handler's error with 500 and goes on", function()
        local seen = {}
        local opts = { onerror = function(err, traceback)
            seen[#seen + 1] = tostring(err) .. traceback
        end }
        http.run(function(req)
            if req.path == "/raise" then
                error "secret"
            elseif req.path == "/header" then
                return 200, "x", { ["X-A"] = "a\r\nSet-Cookie: b" }
            elseif req.path == "/name" then
                return 200, "x", { ["X A"] = "a" }
            elseif req.path == "/status" then
                return 99
            elseif req.path == "/body" then
                return 200, true
            elseif req.path == "/teapot" then
                quoll.http.raise(418, "short")
            end
        end, opts, function(connect)
            local c = connect()
            for _, path in ipairs { "raise", "header", "name", "status", "body",
                "nothing" } do
                c:say(GET:format(path))
                local answer = c:hear()
                assert.equal(500, answer.status)
                assert.falsy((answer.head .. answer.body):find "secret")
                assert.falsy(answer.head:find "Cookie")
            end
            c:say(GET:format "teapot")
            local answer = c:hear()
            assert.equal(418, answer.status)
            assert.equal("short", answer.body)
        end)
        assert.equal(6, #seen)
        assert.truthy(seen[1]:find "secret")
    end)

    it("cuts a handler off at its timeout", http.with(function(req)
        assert.truthy(req.deadline > quoll.now())
        quoll.sleep(60)
    end, { timeout = 0.01 }, function(connect)
        assert.equal(503, http.ask(connect, GET:format "").status)
    end))

    it("calls a handler that is a table, and refuses what is none", function()
        local handler = setmetatable({}, { __call = function(_, req)
            return req.method
        end })
        http.run(handler, nil, function(connect)
            assert.equal("GET", http.ask(connect, GET:format "").body)
        end)
        assert.has_error(function() quoll.http.serve("127.0.0.1:0", 1) end)
        assert.has_error(function()
            quoll.http.serve("127.0.0.1:0", print, { nonsense = 1 })
        end)
        assert.has_error(function()
            quoll.http.serve("127.0.0.1:0", print, { line = "x" })
        end)
    end)

    it("notes each request in its log", function()
        local noted = {}
        local log = { record = function(_, req, status, bytes, seconds)
            noted[#noted + 1] = { req.path, status, bytes, seconds < 5 }
        end }
        http.run(function(req)
            if req.path == "/a" then
                return "12345"
            elseif req.path == "/list" then
                return 201, { "1", { 2 } }
            end
            return 204
        end, { log = log }, function(connect)
            local c = connect()
            c:say((GET .. GET .. GET):format("a", "list", "none"))
            c:hear()
            c:hear()
            c:hear(true)
        end)
        assert.same({ { "/a", 200, 5, true }, { "/list", 201, 2, true },
            { "/none", 204, 0, true } }, noted)
    end)
end)
