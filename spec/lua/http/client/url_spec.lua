local helper = require "spec.helper"
local url = require "quoll.http.client.url"

local function text(given)
    local parsed, why = url.parse(given)
    return parsed and url.text(parsed), why
end

describe("quoll.http.client.url", function()
    helper.gates()

    it("parses what a URL is made of", function()
        assert.same({ scheme = "https", user = "me", password = "a:b",
            host = "example.org", port = 8443, path = "/a/b", query = "c=d",
            fragment = "e" },
            url.parse "HTTPS://me:a%3Ab@Example.org:8443/a/b?c=d#e")
        assert.same({ scheme = "http", host = "::1", port = 80, path = "/" },
            url.parse "http://[::1]")
        local parsed = url.parse "ws://[::1]:81?x"
        assert.equal("[::1]:81", url.address(parsed))
        assert.equal("[::1]:81", url.authority(parsed))
        assert.equal("/?x", url.target(parsed))
        assert.equal("example.org", url.authority(url.parse
            "https://example.org:443/"))
    end)

    it("never writes a password", function()
        assert.equal("http://a/", text "http://user:secret@a/")
    end)

    it("escapes what has no place in one", function()
        assert.equal("http://a/%C3%BC?q=%22%3C#%7C", text "http://a/ü?q=\"<#|")
        assert.equal("http://a/c", text "http://a/b/../c")
        assert.equal("http://a/%2e%2E/", text "http://a/%2e%2E/")
    end)

    it("refuses what would be something else in a request", function()
        for given, why in pairs {
            ["http://a/ b"] = "space or control", ["http://a/\r\nX: y"] =
            "space or control", ["http://a\0b/"] = "space or control",
            ["http://a/\127"] = "space or control", ["http:///x"] = "no host",
            ["http://:80/"] = "no host", ["localhost:80/"] = "no http",
            ["file:///etc/passwd"] = "no http", ["/x"] = "no http",
            ["http:/x"] = "no host", ["http://a:0/"] = "bad port",
            ["http://a:65536/"] = "bad port", ["http://a:8x/"] = "bad host",
            ["http://a@b@c/"] = "bad host", ["http://a\\b/"] = "bad host",
            ["http://[::1/"] = "bad host", ["http://[1.2.3.4]/"] = "bad IPv6",
            ["http://[::1]x/"] = "bad host", ["http://bücher.example/"] =
            "xn%-%-", ["http://a%0d/"] = "bad host",
            ["http://a%3Ab:c@d/"] = "colon",
            ["http://a%x@d/"] = "bad escape", [""] = "no http",
        } do
            local parsed, err = url.parse(given)
            assert.is_nil(parsed, given)
            assert.matches(why, err, given)
        end
    end)

    -- RFC 3986, 5.4, and what servers send beside.
    local references = {
        ["g"] = "http://a/b/c/g", ["./g"] = "http://a/b/c/g",
        ["g/"] = "http://a/b/c/g/", ["/g"] = "http://a/g",
        ["//g"] = "http://g/", ["?y"] = "http://a/b/c/d;p?y",
        ["g?y"] = "http://a/b/c/g?y", ["#s"] = "http://a/b/c/d;p?q#s",
        ["g#s"] = "http://a/b/c/g#s", ["g?y#s"] = "http://a/b/c/g?y#s",
        [";x"] = "http://a/b/c/;x", ["g;x"] = "http://a/b/c/g;x",
        ["g;x?y#s"] = "http://a/b/c/g;x?y#s", [""] = "http://a/b/c/d;p?q",
        ["."] = "http://a/b/c/", ["./"] = "http://a/b/c/",
        [".."] = "http://a/b/", ["../"] = "http://a/b/",
        ["../g"] = "http://a/b/g", ["../.."] = "http://a/",
        ["../../"] = "http://a/", ["../../g"] = "http://a/g",
        ["../../../g"] = "http://a/g", ["../../../../g"] = "http://a/g",
        ["/./g"] = "http://a/g", ["/../g"] = "http://a/g",
        ["g."] = "http://a/b/c/g.", [".g"] = "http://a/b/c/.g",
        ["g.."] = "http://a/b/c/g..", ["..g"] = "http://a/b/c/..g",
        ["./../g"] = "http://a/b/g", ["./g/."] = "http://a/b/c/g/",
        ["g/./h"] = "http://a/b/c/g/h", ["g/../h"] = "http://a/b/c/h",
        ["g;x=1/./y"] = "http://a/b/c/g;x=1/y",
        ["g;x=1/../y"] = "http://a/b/c/y",
        ["g?y/../x"] = "http://a/b/c/g?y/../x",
        ["g#s/../x"] = "http://a/b/c/g#s/../x",
        ["/a//b/"] = "http://a/a//b/", ["/x y"] = "http://a/x%20y",
        ["https://b:443"] = "https://b/", ["HTTP://B:81/?"] = "http://b:81/?",
    }

    it("resolves references", function()
        local base = url.parse "http://a/b/c/d;p?q"
        for reference, expected in pairs(references) do
            assert.equal(expected, url.text(url.resolve(base, reference)),
                reference)
        end
        for _, reference in ipairs { "javascript:x", "mailto:a@b", "http://",
            "//", "/\r\nx", "g\0" } do
            assert.is_nil((url.resolve(base, reference)), reference)
        end
    end)

    it("keeps a user within an origin only", function()
        local base = url.parse "http://me:x@a/b"
        assert.equal("me", url.resolve(base, "/c").user)
        assert.is_nil(url.resolve(base, "//b/c").user)
        assert.equal("you", url.resolve(base, "//you@a/c").user)
    end)

    it("writes queries in one order", function()
        assert.equal("a=1&a=2&b=x%20%26y&c=&d", url.query { b = "x &y",
            a = { 1, 2 }, c = "", d = true, e = false })
        assert.equal("", url.query {})
    end)
end)
