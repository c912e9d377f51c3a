local cookies = require "quoll.http.syntax.cookies"
local pair = require "spec.support.pair"

describe("quoll.http.syntax.cookies", function()
    it("parses what browsers send", function()
        assert.same({ a = "1", b = "x=y", c = "q", d = "" },
            cookies.parse 'a=1; b=x=y;c="q" ; d=; a=2; =n; junk')
        assert.same({}, cookies.parse "")
    end)

    it("writes them, safe by default", function()
        assert.equal("a=1; Path=/; HttpOnly; SameSite=Lax",
            cookies.cookie("a", "1"))
        assert.equal("a=; Path=/x; Domain=example.org; Max-Age=0; Secure; "
            .. "SameSite=None; Partitioned", cookies.cookie("a", "", {
            path = "/x", domain = "example.org", max_age = 0, secure = true,
            httponly = false, samesite = "none", partitioned = true }))
    end)

    it("refuses what would be another cookie, attribute or line", function()
        for _, bad in ipairs { { "a b", "" }, { "", "" }, { "a=", "" },
            { "a", "b;c" }, { "a", "b\r\nc" }, { "a", "\0" }, { "a", 1 },
            { "a", "b", { path = "/;x" } }, { "a", "b", { path = "/\n" } },
            { "a", "b", { domain = "a;b" } },
            { "a", "b", { samesite = "x" } }, { "a", "b", { nope = 1 } } } do
            pair.raises(function()
                return (cookies.cookie(bad[1], bad[2], bad[3]))
            end, "cookies_spec.lua:%d+: bad argument '%w+' to 'cookie'")
        end
    end)
end)
