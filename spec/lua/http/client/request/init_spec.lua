local fields = require "quoll.http.client.request.fields"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local request = require "quoll.http.client.request"
local url = require "quoll.http.client.url"

local function make(text, opts)
    opts = opts or {}
    return request.make(text, opts, fields.make(opts.headers))
end

-- The head without what every request has.
local function head(text, opts, via)
    return (request.head(assert(make(text, opts)), via)
        :gsub("Accept: %*/%*\r\n", ""):gsub("Accept%-Encoding: [^\r]*\r\n", "")
        :gsub("User%-Agent: quoll/[^\r]*\r\n", ""))
end

describe("quoll.http.client.request", function()
    helper.gates()

    it("writes the head", function()
        assert.equal("GET / HTTP/1.1\r\nHost: a\r\n\r\n", head "http://a")
        assert.equal("HEAD /x?y=1&z=2 HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
            head("http://[::1]:8080/x?y=1#f", { method = "HEAD",
            query = { z = 2 } }))
        assert.equal("GET /b/d?q HTTP/1.1\r\nHost: h\r\n"
            .. "Authorization: Basic bWU6eA==\r\nConnection: close\r\n\r\n",
            head("d", { base = "http://me:x@a/b/c", query = "q", pool = false,
            headers = { Host = "h" } }))
        assert.matches("\r\nAccept%-Encoding: gzip, deflate\r\n.*"
            .. "User%-Agent: quoll/%d", request.head(make "http://a"))
        assert.is_nil(request.head(make("http://a", { decompress = false,
            headers = { ["user-agent"] = false } })):find "quoll")
    end)

    it("says how long the body is", function()
        for _, case in ipairs {
            { { body = "abc" }, "Content-Length: 3" },
            { { body = "" }, "Content-Length: 0" },
            { { body = print }, "Transfer-Encoding: chunked" },
            { { body = print, headers = { ["content-length"] = 5 } },
                "Content-Length: 5" },
            { {}, "Content-Length: 0" },
            { { json = { 1 } }, "Content-Length: 3\r\n"
                .. "Content-Type: application/json" },
            { { form = { a = "b c" } }, "Content-Length: 7\r\n"
                .. "Content-Type: application/x-www-form-urlencoded" },
            { { form = {}, headers = { ["content-type"] = "x" } },
                "Content-Length: 0\r\ncontent-type: x" },
        } do
            case[1].method = "POST"
            assert.equal("POST / HTTP/1.1\r\nHost: a\r\n" .. case[2]
                .. "\r\n\r\n", head("http://a", case[1]))
        end
        assert.equal("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
            head("http://a", { method = "DELETE" }))
    end)

    it("asks a proxy for the whole URL", function()
        local via = url.parse "http://u:p@proxy:3128"
        assert.equal("GET http://a:81/x HTTP/1.1\r\nHost: a:81\r\n"
            .. "Proxy-Authorization: Basic dTpw\r\n\r\n",
            head("http://a:81/x", {}, via))
        assert.equal("GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
            head("https://a/x", {}, via))
    end)

    it("has the jar's cookies, unless the caller has", function()
        local jar = quoll.http.jar()
        jar:set("http://a/", "b=c")
        assert.matches("\r\nCookie: b=c\r\n", head("http://a/", { jar = jar }))
        assert.matches("\r\nCookie: x\r\n", head("http://a/", { jar = jar,
            headers = { Cookie = "x" } }))
        assert.is_nil(head("http://d/", { jar = jar }):find "Cookie")
    end)

    it("knows what may be sent twice", function()
        assert.is_true(request.idempotent(make "http://a"))
        assert.is_true(request.idempotent(make("http://a", { method = "PUT",
            body = "x" })))
        assert.is_false(request.idempotent(make("http://a", { method = "PUT",
            body = print })))
        assert.is_false(request.idempotent(make("http://a", { method =
            "POST" })))
    end)

    it("refuses what would be another request", function()
        for _, case in ipairs {
            { "http://a/ HTTP/1.1\r\nX: y" }, { "http://a/\0" }, { 5 },
            { "b c", { base = "http://a" } }, { "b", { base = "nowhere" } },
            { "http://a", { query = "a b" } }, { "http://a", { query = "#" } },
            { "http://a", { query = "\r\n" } },
            { "http://a", { method = "GET /x" } },
            { "http://a", { method = "CONNECT" } },
            { "http://a", { method = "" } },
            { "http://a", { headers = { ["Content-Length"] = 5 } } },
            { "http://a", { body = "x",
                headers = { ["Content-Length"] = 1 } } },
            { "http://a", { body = print,
                headers = { ["Content-Length"] = "1x" } } },
            { "http://a", { body = "x", json = 1 } },
            { "http://a", { json = print } },
        } do
            pair.raises(function() make(case[1], case[2]) end,
                "init_spec.*bad argument ")
        end
    end)

    it("fails for files that are not there", function()
        assert.same({ nil, "/nowhere: no such file or directory", "ENOENT" },
            { make("http://a", { multipart = { { name = "a",
            path = "/nowhere" } } }) })
    end)
end)
