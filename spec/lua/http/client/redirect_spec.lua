local fields = require "quoll.http.client.request.fields"
local redirect = require "quoll.http.client.redirect"
local url = require "quoll.http.client.url"

local function request(method, with)
    local made = { method = method, url = url.parse
        "https://me:x@a.example/b?c#f", length = 3,
        headers = fields.make { Authorization = "x", Cookie = "y", Accept = "z",
            ["Content-Type"] = "t", Expect = "100-continue", Host = "h" },
        body = { replayable = true } }
    for name, value in pairs(with or {}) do
        made[name] = value
    end
    return made
end

local function follow(made, status, location)
    local to, err, code = redirect.follow(made, status, location)
    return to, to and url.text(to.url) or err, code
end

describe("quoll.http.client.redirect", function()
    it("asks with GET, or with what was", function()
        for status, method in pairs { [301] = "GET", [302] = "GET",
            [303] = "GET", [307] = "POST", [308] = "POST" } do
            local made = request "POST"
            local to, where = follow(made, status, "/d")
            assert.equal(method, to.method)
            assert.equal(method == "POST", to.body ~= nil)
            assert.equal(method == "POST" and 3 or nil, to.length)
            assert.equal(method == "POST", to.headers["content-type"] ~= nil)
            assert.equal("https://a.example/d#f", where)
            assert.equal("POST", made.method)
            assert.truthy(made.headers["content-type"])
        end
        assert.equal("HEAD", follow(request "HEAD", 303, "/d").method)
    end)

    it("is none for other answers", function()
        for _, status in ipairs { 200, 201, 300, 304, 305, 306, 404 } do
            assert.is_nil((follow(request "GET", status, "/d")))
        end
        assert.is_nil((follow(request "GET", 302, nil)))
        local once = request("PUT", { body = { replayable = false } })
        assert.is_nil((follow(once, 307, "/d")))
        assert.truthy((follow(once, 302, "/d")))
    end)

    it("keeps secrets within an origin", function()
        for location, same in pairs { ["/d"] = true, ["//a.example"] = true,
            ["https://A.example:443/"] = true, ["//b.example/"] = false,
            ["https://a.example:8443/"] = false,
            ["https://a.example.evil.example/"] = false,
            ["https://a.example@b.example/"] = false } do
            local to = assert(follow(request "GET", 302, location))
            for _, name in ipairs { "authorization", "cookie", "host" } do
                assert.equal(same, to.headers[name] ~= nil, location)
            end
            assert.truthy(to.headers.accept)
            assert.equal(same, to.url.user == "me", location)
        end
        local plain = request("GET", { url = url.parse "http://a.example/" })
        assert.is_nil(assert(follow(plain, 302, "https://a.example/"))
            .headers.authorization)
    end)

    it("does not leave https unless that was allowed", function()
        assert.same({ nil, "redirect from https to http", "EPERM" },
            { follow(request "GET", 302, "http://a.example/") })
        assert.truthy(follow(request("GET", { downgrade = true }), 302,
            "http://a.example/"))
    end)

    it("refuses places that are none", function()
        for _, location in ipairs { "javascript:alert(1)", "file:///etc/x",
            "http://", "https://b:99999/", "/a\r\nX: y", "/\0", "//\127/",
            "https://bücher.example/" } do
            local to, err, code = follow(request "GET", 302, location)
            assert.is_nil(to, location)
            assert.matches("^bad redirect: ", err)
            assert.equal("EBADMSG", code)
        end
    end)
end)
