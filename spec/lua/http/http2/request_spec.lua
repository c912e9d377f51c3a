local helper = require "spec.helper"
local http = require "spec.support.http"
local http2 = require "spec.support.http2"
local quoll = require "quoll"

-- The answer to a request, and what fn(req) has given in its handler.
local function ask(bytes, fn)
    local given
    http.run(function(req)
        given = { fn(req) }
        return "ok"
    end, nil, function(connect)
        local c = http2.client(connect().conn)
        c:say(bytes)
        assert.equal(200, c:hear(1).status)
        c.conn:close()
    end)
    return given
end

describe("lua/http/http2/request", function()
    helper.gates()

    it("has the fields that requests have", function()
        local got = ask(http2.get(1, "/a%20b?x=1&y=a+b"), function(req)
            return req.method, req.target, req.path, req.querystring,
                req.version, req.scheme, req.host, req.id, req.query.y,
                req.peer, type(req.peerport), req.tls == nil,
                next(req.params) == nil, tostring(req.deadline)
        end)
        assert.same({ "GET", "/a%20b?x=1&y=a+b", "/a%20b", "x=1&y=a+b", "2",
            "http", "local.host", 1, "a b", "127.0.0.1", "number", true, true,
            "nil" }, got)
    end)

    it("finds header fields in any case", function()
        local more = { "x-a", "1", "x-a", "2", "cookie", "a=b",
            "cookie", "c=d" }
        local got = ask(http2.get(1, "/", more), function(req)
            local names = {}
            for name, value in req:each_header() do
                names[#names + 1] = name .. "=" .. value
            end
            return req:header "X-A", req:header_values "X-A",
                req.headers["X-a"], req.headers.cookie, req.cookies.c,
                req:header "none" == nil, req.headers.Host, names
        end)
        assert.same({ "1", { "1", "2" }, "1, 2", "a=b; c=d", "d", true,
            "Local.Host:80", { "host=Local.Host:80", "x-a=1", "x-a=2",
                "cookie=a=b", "cookie=c=d" } }, got)
    end)

    it("knows the length of a body that is not, or that is told", function()
        local function length(req)
            local before = tostring(req.length)
            return before, #req:body(), tostring(req.length)
        end
        local data = http2.frame(http2.DATA, http2.END_STREAM, 1, "body")
        assert.same({ "0", 0, "0" }, ask(http2.get(1, "/"), length))
        assert.same({ "nil", 4, "nil" },
            ask(http2.post(1, "/") .. data, length))
        assert.same({ "4", 4, "4" }, ask(http2.post(1, "/",
            { "content-length", "4" }) .. data, length))
    end)

    it("reads the body whole, once and again", function()
        local got = ask(http2.post(1, "/")
            .. http2.frame(http2.DATA, 0, 1, '{"a":')
            .. http2.frame(http2.DATA, http2.END_STREAM, 1, "1}"),
        function(req)
            return req:body(), req:body(), req:json().a
        end)
        assert.same({ '{"a":1}', '{"a":1}', 1 }, got)
    end)

    it("limits the body", function()
        local known = ask(http2.post(1, "/", { "content-length", "5" })
            .. http2.frame(http2.DATA, http2.END_STREAM, 1, "12345"),
        function(req) return req:body(4) end)
        assert.same({ nil, "body too large", "EMSGSIZE" }, known)
        local counted = ask(http2.post(1, "/")
            .. http2.frame(http2.DATA, http2.END_STREAM, 1, "12345"),
        function(req) return req:body(4) end)
        assert.same(known, counted)
    end)

    it("has the body in chunks, and trailers", function()
        local got = ask(http2.post(1, "/")
            .. http2.frame(http2.DATA, 0, 1, "12345")
            .. http2.frame(http2.HEADERS,
                http2.END_STREAM + http2.END_HEADERS, 1,
                http2.block { "x-sum", "5" }),
        function(req)
            local chunks = {}
            for chunk in req:chunks(2) do
                assert.truthy(#chunk <= 2)
                chunks[#chunks + 1] = chunk
            end
            return table.concat(chunks), req:trailers()["X-Sum"],
                (pcall(req.chunks, req, 0))
        end)
        assert.same({ "12345", "5", false }, got)
    end)

    it("sends 100 when the body is waited for", function()
        http.run(function(req) return req:body() end, nil, function(connect)
            local c = http2.client(connect().conn)
            c:say(http2.post(1, "/", { "expect", "100-continue" }))
            assert.equal("100", c:await(http2.HEADERS).fields[":status"])
            c:say(http2.frame(http2.DATA, http2.END_STREAM, 1, "body"))
            assert.equal("body", c:hear(1).body)
            c.conn:close()
        end)
    end)

    it("is no connection", function()
        local got = ask(http2.get(1, "/"), function(req)
            local ws, status = req:websocket()
            return ws == nil, status, select(3, req:hijack())
        end)
        assert.same({ true, 501, "EOPNOTSUPP" }, got)
        assert.truthy(quoll.http)
    end)
end)
