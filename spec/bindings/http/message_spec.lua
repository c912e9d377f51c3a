local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

-- Runs fn(req) in a handler for the request.
local function given(text, fn)
    return function()
        local ok, err
        http.run(function(req)
            ok, err = pcall(fn, req)
            return "done"
        end, nil, function(connect)
            assert.equal("done", http.ask(connect, text).body)
        end)
        assert(ok, err)
    end
end

describe("bindings/http/message", function()
    helper.gates()

    it("has what the start line says", given(
        "PUT /a%20b?c=d&e HTTP/1.1\nHost: EXAMPLE.com:80\n\n", function(req)
            assert.equal("PUT", req.method)
            assert.equal("/a%20b?c=d&e", req.target)
            assert.equal("/a%20b", req.path)
            assert.equal("c=d&e", req.querystring)
            assert.equal("1.1", req.version)
            assert.equal("http", req.scheme)
            assert.equal("example.com", req.host)
            assert.equal(1, req.id)
            assert.equal("request (PUT /a%20b?c=d&e)", tostring(req))
            assert.is_nil(req.status)
            assert.is_nil(req.nonsense)
            assert.is_nil(req.tls)
            assert.same({}, req.params)
            assert.equal("d", req.query.c)
        end))

    it("names every method", function()
        local seen = {}
        http.run(function(req)
            seen[#seen + 1] = req.method .. " " .. req.version
            return ""
        end, nil, function(connect)
            for _, method in ipairs { "DELETE", "GET", "PATCH", "M-SEARCH",
                "SOURCE" } do
                http.ask(connect, method .. " / HTTP/1.0\n\n")
            end
        end)
        assert.same({ "DELETE 1.0", "GET 1.0", "PATCH 1.0", "M-SEARCH 1.0",
            "SOURCE 1.0" }, seen)
    end)

    it("takes an absolute target apart", given(
        "GET http://[::1]:81/x HTTP/1.1\nHost: [::1]:81\n\n", function(req)
            assert.equal("[::1]", req.host)
            assert.equal("/x", req.path)
            assert.equal("", req.querystring)
        end))

    it("keeps what scripts set", given("GET /x HTTP/1.1\nHost: a\n\n",
        function(req)
            req.user = "me"
            req.path = "/y"
            assert.equal("me", req.user)
            assert.equal("/y", req.path)
            assert.equal("GET", req.method)
            req.path = nil
            assert.equal("/x", req.path)
            assert.equal(req.headers, req.headers)
        end))

    it("knows the peer", given("GET / HTTP/1.1\nHost: a\n\n", function(req)
        assert.equal("127.0.0.1", req.peer)
        assert.truthy(req.peerport > 0)
    end))

    it("finds the connection from any depth", given(
        "GET / HTTP/1.1\nHost: a\nContent-Length: 2\n\nhi", function(req)
            local body
            quoll.spawn(quoll.coroutine.wrap(function()
                body = req:body()
            end)):wait()
            assert.equal("hi", body)
        end))

    it("refuses what is no message", function()
        local raw = require "quoll.http.core"
        for _, value in ipairs { 1, "x", io.stdout, newproxy() } do
            assert.has_error(function() raw.header(value, "x") end)
        end
    end)
end)
