local helper = require "spec.helper"
local calls = require "spec.support.calls"
local site = require "spec.support.site"
local static = require("quoll.http.static").static

local ask = site.ask

describe("quoll.http.static", function()
    helper.gates()

    it("serves a file", site.with(function(dir)
        local handler = static(dir)
        site.settled(handler, "/digits.txt")
        for _ = 1, 2 do
            local answer = ask(handler, "/digits.txt")
            assert.equal(200, answer.status)
            assert.equal("0123456789", answer.body)
            assert.matches('^"%x+%-a%-%x+"$', answer.headers.ETag)
            answer.headers.ETag = nil
            assert.same({ ["Content-Type"] = "text/plain; charset=utf-8",
                ["Last-Modified"] = site.MODIFIED,
                ["Accept-Ranges"] = "bytes" }, answer.headers)
        end
        assert.equal("", ask(handler, "/nothing.txt").body)
        assert.equal("deep", ask(handler, "/sub/deep/x.css").body)
    end))

    it("serves a large one by its descriptor, which stays open",
        site.with(function(dir)
            local handler = static(dir)
            local text = site.text(200000)
            site.settled(handler, "/large.bin")
            for _ = 1, 3 do
                assert.equal(text, ask(handler, "/large.bin").body)
            end
            local live = require("quoll").stats().files.live
            assert.equal(1, live)
        end))

    it("takes no path for another that was asked for before",
        site.with(function(dir)
            local handler = static(dir)
            calls.write(dir .. "/a%62", "percent")
            calls.write(dir .. "/ab", "plain")
            for _ = 1, 3 do
                assert.equal("percent", ask(handler, "/a%2562").body)
                assert.equal("plain", ask(handler, "/a%62").body)
                assert.equal("plain", ask(handler, "//ab").body)
                assert.equal("plain", ask(handler, "/ab").body)
                assert.equal(400, ask(handler, "xab").status)
                assert.equal(404, ask(handler, "/ab/").status)
            end
            calls.write(dir .. "/ab", "new")
            assert.equal("new", ask(handler, "/ab").body)
            os.remove(dir .. "/ab")
            assert.equal(404, ask(handler, "/ab").status)
        end))

    it("answers HEAD as GET, without the body", site.with(function(dir)
        local handler = static(dir)
        for path, size in pairs { ["/digits.txt"] = 10, ["/nothing.txt"] = 0,
            ["/large.bin"] = 200000 }
        do
            site.settled(handler, path)
            local head = ask(handler, path, { range = "bytes=1-2" }, "HEAD")
            assert.equal(200, head.status)
            assert.is_true(head.nobody)
            assert.equal(size, head.headers["Content-Length"])
            head.headers["Content-Length"] = nil
            assert.same(ask(handler, path).headers, head.headers)
        end
    end))

    it("allows nothing else", site.with(function(dir)
        for _, method in ipairs { "POST", "PUT", "DELETE", "OPTIONS", "get" } do
            local answer = ask(static(dir), "/digits.txt", nil, method)
            assert.equal(405, answer.status)
            assert.equal("GET, HEAD", answer.headers.Allow)
        end
    end))

    it("has an index, and sends who forgot the slash there",
        site.with(function(dir)
            local handler = static(dir)
            assert.equal("<h1>hello</h1>", ask(handler, "/").body)
            assert.equal("text/html; charset=utf-8",
                ask(handler, "/").headers["Content-Type"])
            for path, location in pairs { ["/sub"] = "./sub/",
                ["/sub/deep?a=b&c"] = "./deep/?a=b&c", ["//sub"] = "./sub/",
                ["/%73ub"] = "./%73ub/" }
            do
                local answer = ask(handler, path)
                assert.equal(301, answer.status)
                assert.equal(location, answer.headers.Location)
            end
            assert.equal(404, ask(handler, "/empty/").status)
            assert.equal(404, ask(handler, "/digits.txt/").status)
            assert.equal(404, ask(static(dir, { index = false }), "/").status)
            assert.equal("deep", ask(static(dir,
                { index = { "none", "x.css" } }), "/sub/deep/").body)
        end))

    it("has a slash at the end of where it is mounted",
        site.with(function(dir)
            local router = require("quoll.http.router").router()
            router:mount("/a/b", static(dir))
            for path, location in pairs { ["/a/b"] = "./b/",
                ["/a/b?x"] = "./b/?x", ["/a/b/sub"] = "./sub/" }
            do
                local answer = ask(router, path)
                assert.equal(301, answer.status)
                assert.equal(location, answer.headers.Location)
            end
            assert.equal("<h1>hello</h1>", ask(router, "/a/b/").body)
            router = require("quoll.http.router").router()
            router:mount("/", static(dir))
            assert.equal("<h1>hello</h1>", ask(router, "/").body)
        end))

    it("never leaves the folder", site.with(function(dir)
        for _, opts in ipairs { {}, { dotfiles = true, listing = true } } do
            local handler = static(dir, opts)
            for _, path in ipairs { "/../etc/hostname", "/out.txt",
                "/etc/hostname", "/etc", "/etc/", "/sub/%2e%2e/digits.txt",
                "/sub/..%2fdigits.txt", "/.../x", "//etc/hostname",
                "/proc/self/cwd/x", "/pipe", "/digits.txt%00.html" }
            do
                local answer = ask(handler, path)
                assert.truthy(answer.status == 404 or answer.status == 400,
                    path)
                assert.truthy(#answer.body < 20)
            end
            assert.equal("0123456789", ask(handler, "/link.txt").body)
            assert.equal("<h1>hello</h1>", ask(handler, "/sub/up.html").body)
        end
    end))

    it("hides dotfiles, but /.well-known/", site.with(function(dir)
        assert.equal(404, ask(static(dir), "/.git/config").status)
        assert.equal("token", ask(static(dir), "/.well-known/acme").body)
        assert.equal("secret",
            ask(static(dir, { dotfiles = true }), "/.git/config").body)
    end))

    it("asks the script what it is asked", site.with(function(dir)
        local handler = static(dir, { types = { txt = "text/x-digits" },
            cache_control = "max-age=60", notfound = function(req)
                return 404, "no " .. req.path, {}
            end })
        local headers = ask(handler, "/digits.txt").headers
        assert.equal("text/x-digits", headers["Content-Type"])
        assert.equal("max-age=60", headers["Cache-Control"])
        assert.equal("no /none", ask(handler, "/none").body)
        handler = static(dir, { cache_control = function(name)
            return name == "index.html" and "no-cache" or nil
        end })
        assert.equal("no-cache", ask(handler, "/").headers["Cache-Control"])
        assert.is_nil(ask(handler, "/digits.txt").headers["Cache-Control"])
    end))

    it("tells what it may not read, and what it cannot open",
        site.with(function(dir)
            local files = require "quoll.http.static.files"
            local get = files.get
            finally(function() files.get = get end)
            for code, status in pairs { EACCES = 403, EMFILE = 503,
                ENOENT = 404, EXDEV = 404, ENAMETOOLONG = 404 }
            do
                files.get = function()
                    return nil, code, "x: failed"
                end
                assert.equal(status, ask(static(dir), "/x").status, code)
            end
        end))

    it("refuses options it does not know", function()
        for _, args in ipairs { { nil }, { "" }, { "a\0" }, { ".", { x = 1 } },
            { ".", { index = 1 } }, { ".", { cache = 1 } },
            { ".", { cache = { valid = -1 } } },
            { ".", { cache = { valid = 0 / 0 } } },
            { ".", { cache = { none = 1 } } }, { ".", { cache = true } },
            { ".", { cache_control = 1 } }, { ".", { notfound = "x" } },
            { ".", { listing = "yes" } } }
        do
            local ok, err = pcall(static, args[1], args[2])
            assert.is_false(ok)
            assert.matches("init_spec.lua:%d+: bad argument", err)
        end
    end)

    it("answers with what has been written since", site.with(function(dir)
        local handler = static(dir)
        site.settled(handler, "/digits.txt")
        for i = 1, 20 do
            calls.write(dir .. "/digits.txt", ("%010d"):format(i))
            assert.equal(("%010d"):format(i), ask(handler, "/digits.txt").body)
        end
        assert.truthy(os.remove(dir .. "/digits.txt"))
        assert.equal(404, ask(handler, "/digits.txt").status)
    end))
end)
