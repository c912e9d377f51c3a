local path = require "quoll.http.static.path"

describe("quoll.http.static.path", function()
    local function refuses(status, raw, dotfiles)
        local name, why = path.name(raw, dotfiles)
        assert.is_nil(name, raw)
        assert.equal(status, why, raw)
    end

    it("decodes once", function()
        assert.equal("", path.name "/")
        assert.equal("a/b.html", path.name "/a/b.html")
        assert.equal("a b/\195\164", path.name "/a%20b/%c3%A4")
        assert.equal("%2e%2e/x", path.name "/%252e%252e/x")
        assert.equal("a+b", path.name "/a+b")
        assert.equal("a/", path.name "/a/")
        assert.equal("etc/passwd", path.name "///etc/passwd")
        assert.equal("a..b/c...", path.name "/a..b/c...")
    end)

    it("refuses what is no path", function()
        for _, raw in ipairs { "/a%00b", "/a\0b", "/%", "/%4", "/%zz", "*",
            "", "a", "/a%2" }
        do
            refuses(400, raw)
        end
    end)

    it("refuses to climb, however it is written", function()
        for _, raw in ipairs { "/..", "/../", "/../etc/passwd", "/a/../b",
            "/a/..", "/%2e%2e/etc/passwd", "/%2e./x", "/.%2E/x", "/a/%2e%2e",
            "/..%2fetc", "/a%2fb", "/a%2Fb", "//../x", "/./x", "/a/.", "/." }
        do
            refuses(404, raw)
            refuses(404, raw, true)
        end
    end)

    it("refuses dotfiles, unless they are wanted", function()
        for _, raw in ipairs { "/.git/config", "/a/.htpasswd", "/%2egit/x",
            "/.well-known/.x", "/.well-knownx", "/a/.well-known/x" }
        do
            refuses(404, raw)
            assert.truthy(path.name(raw, true))
        end
        assert.equal(".well-known/acme/x", path.name "/.well-known/acme/x")
    end)
end)
