local cookie = require "quoll.http.client.jar.cookie"
local url = require "quoll.http.client.url"

local NOW = 1000000
local LIST = "\nco.uk\nexample\n"

local function parse(line, from)
    return cookie.parse(line, url.parse(from or "https://www.a.example/x/y"),
        NOW, LIST)
end

local function applies(line, to, from)
    return cookie.under(url.parse(to).host, parse(line, from).domain)
        and cookie.applies(parse(line, from), url.parse(to), NOW)
end

describe("quoll.http.client.jar.cookie", function()
    it("parses what servers set", function()
        assert.same({ name = "a", value = "b=c", domain = "www.a.example",
            hostonly = true, path = "/x", created = NOW },
            parse " a = b=c ; Foo=bar; SameSite=Lax")
        assert.same({ name = "a", value = '"q r"', domain = "a.example",
            path = "/", created = NOW, secure = true,
            httponly = true, expires = NOW + 60 },
            parse('a="q r"; DOMAIN=.A.example; path=/; Secure;httponly;'
                .. "Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT"))
    end)

    it("knows how long they live", function()
        assert.equal(NOW, parse("a=b; max-age=-5").expires)
        assert.is_nil(parse("a=b; max-age=5x").expires)
        assert.equal(NOW + 400 * 86400, parse("a=b; max-age=99999999").expires)
        assert.is_true(cookie.expired(parse
            "a=b; expires=Thu, 01 Jan 1970 00:00:01 GMT", NOW))
        assert.is_nil(parse("a=b; expires=soon").expires)
    end)

    it("refuses what is not the server's to set", function()
        for line, why in pairs {
            ["a"] = "no name", ["=b"] = "no name", [""] = "no name",
            ["a=\r\nX: y"] = "control", ["a=\0"] = "control",
            ["a=b; path=/\r\n"] = "control",
            ["a=" .. ("x"):rep(4096)] = "too large",
            ["a=b; domain=b.example"] = "another host",
            ["a=b; domain=x.www.a.example"] = "another host",
            ["a=b; domain=w.a.example"] = "another host",
            ["a=b; domain=example"] = "public suffix",
            ["__Secure-a=b"] = "promises",
            ["__Host-a=b; Secure; Path=/; Domain=a.example"] = "promises",
            ["__Host-a=b; Secure"] = "promises",
        } do
            local made, err = parse(line)
            assert.is_nil(made, line)
            assert.matches(why, err, line)
        end
        assert.matches("insecure", select(2, parse("a=b; Secure",
            "http://www.a.example/")))
        assert.matches("another host", select(2, parse("a=b; domain=2.3.4",
            "http://1.2.3.4/")))
        assert.truthy(parse "__Host-a=b; Secure; Path=/")
        assert.is_true(parse("a=b; domain=co.uk", "http://co.uk/").hostonly)
    end)

    it("goes to hosts and paths that it is for", function()
        for _, case in ipairs {
            { "a=b", "https://www.a.example/x", true },
            { "a=b", "https://www.a.example/x/z", true },
            { "a=b", "https://www.a.example/xy", false },
            { "a=b", "https://www.a.example/", false },
            { "a=b; path=/", "https://a.example/", false },
            { "a=b; path=/", "https://u.www.a.example/", false },
            { "a=b; path=/; domain=a.example", "http://u.v.a.example/", true },
            { "a=b; path=/; domain=a.example", "http://ba.example/", false },
            { "a=b; path=/q/", "https://www.a.example/q", false },
            { "a=b; path=/q/", "https://www.a.example/q/", true },
            { "a=b; path=/; secure", "http://www.a.example/", false },
            { "a=b; path=/; secure", "https://www.a.example/", true },
            { "a=b; path=/; max-age=0", "https://www.a.example/", false },
        } do
            assert.equal(case[3], applies(case[1], case[2]), case[1] .. " "
                .. case[2])
        end
    end)

    it("is a line in a file", function()
        local lines = {
            "www.a.example\tFALSE\t/x\tFALSE\t0\ta\tb",
            "#HttpOnly_.a.example\tTRUE\t/\tTRUE\t1000060\ta\tb c",
        }
        for _, line in ipairs(lines) do
            assert.equal(line, cookie.write(cookie.read(line, NOW)))
        end
        for _, line in ipairs { "", "# www\tFALSE\t/\tFALSE\t0\ta\tb", "a\tb",
            "a\tTRUE\t/\tTRUE\tx\ta\tb", "a\tTRUE\t/\tTRUE\t0\ta\t\1",
            "a\tTRUE\t/\tTRUE\t0\ta\tb; c=d" } do
            assert.is_nil(cookie.read(line, NOW), line)
        end
    end)
end)
