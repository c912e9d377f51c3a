local http = require "spec.support.http_message"

local function parse(line, host)
    return http.parse("request", line .. " HTTP/1.1\r\nHost: "
        .. (host or "x.example") .. "\r\n\r\n")
end

describe("runtime/http/target", function()
    it("is a path and a query", function()
        local found = parse "GET /a/b?c=d?e"
        assert.equal("/a/b", found.path)
        assert.equal("c=d?e", found.query)
        assert.equal("x.example", found.host)
        assert.is_false(found.absolute)
        assert.equal("//evil/x", parse("GET //evil/x").path)
    end)

    it("may name the host, which wins over Host", function()
        local found = parse "GET http://Y.example:81/a?b"
        assert.equal("Y.example:81", found.host)
        assert.equal("/a", found.path)
        assert.equal("b", found.query)
        assert.is_true(found.absolute)
        assert.equal("", parse("GET http://y").path)
        assert.equal("q", parse("GET HTTP://y?q").query)
        assert.is_true(parse("GET https://y/").secure)
    end)

    it("is refused when it is none of the four forms", function()
        for _, line in ipairs { "GET a", "GET ?a", "GET ftp://a/",
            "GET http:/a",
            "GET http://", "GET http:///a", "GET http://u@a/",
            "GET http://a:b/", "GET http://a:1:2/", "GET //\\a b", "GET *",
            "GET *a", "OPTIONS **", "GET http://[::1/" } do
            assert.equal(400, parse(line).error, line)
        end
    end)

    it("is * of OPTIONS alone", function()
        assert.equal("*", parse("OPTIONS *").path)
        assert.equal(400, parse("POST *").error)
    end)

    it("is host and port of CONNECT alone", function()
        assert.equal("a:443", parse("CONNECT a:443").host)
        assert.equal("[::1]:443", parse("CONNECT [::1]:443").host)
        for _, target in ipairs { "a", "a:", ":443", "[::1]", "/", "*",
            "http://a:443/", "a:443/", "u@a:443", "a:b", "a:123456" } do
            assert.equal(400, parse("CONNECT " .. target).error, target)
        end
        assert.equal(400, parse("GET a:443").error)
    end)

    it("knows a Host that is none", function()
        for _, host in ipairs { "a b", "a/b", "u@a", "a:x", "[::g]", "[::1",
            "::1", "a%zz", "a%2", "a:123456", ":80", "\200", "a\tb", "a?b",
            "a#b", "[::1]x", "[1.2.3.4]", "[]" } do
            assert.equal(400, parse("GET /", host).error, host)
        end
        for _, host in ipairs { "", "a", "a:", "a:80", "1.2.3.4", "[::1]",
            "[::ffff:1.2.3.4]:80", "a_b", "a%20b", "A-b.c" } do
            assert.is_nil(parse("GET /", host).error, host)
            assert.equal(host, parse("GET /", host).host)
        end
    end)
end)
