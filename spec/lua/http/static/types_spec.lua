local types = require "quoll.http.static.types"

describe("quoll.http.static.types", function()
    it("goes by the ending", function()
        assert.equal("text/html; charset=utf-8", types.of "index.html")
        assert.equal("text/html; charset=utf-8", types.of "a/b.c/INDEX.HTM")
        assert.equal("text/javascript; charset=utf-8", types.of "x.min.js")
        assert.equal("application/json", types.of "x.json")
        assert.equal("application/gzip", types.of "x.tar.gz")
        assert.equal("font/woff2", types.of "x.woff2")
        assert.equal("image/svg+xml", types.of "x.svg")
    end)

    it("knows nothing of other names", function()
        for _, name in ipairs { "README", "a.b/c", ".html", "a/.html", "x.",
            "x.unknown", "" }
        do
            assert.equal("application/octet-stream", types.of(name), name)
        end
    end)

    it("asks the script first", function()
        local own = { md = "text/plain", q = "text/x-q",
            default = "text/plain" }
        assert.equal("text/plain", types.of("x.md", own))
        assert.equal("text/x-q", types.of("x.Q", own))
        assert.equal("text/css; charset=utf-8", types.of("x.css", own))
        assert.equal("text/plain", types.of("README", own))
        assert.equal("text/plain", types.of("x.unknown", own))
    end)
end)
