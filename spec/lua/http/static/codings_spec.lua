local helper = require "spec.helper"
local calls = require "spec.support.calls"
local site = require "spec.support.site"
local static = require("quoll.http.static").static

local ask = site.ask

describe("quoll.http.static.codings", function()
    helper.gates()

    local function with_packed(fn)
        return site.with(function(dir)
            calls.write(dir .. "/digits.txt.gz", "gzipped")
            calls.write(dir .. "/digits.txt.br", "brotli")
            calls.write(dir .. "/large.bin.gz", site.text(100000))
            fn(dir, static(dir))
        end)
    end

    local function form(handler, path, wanted)
        local answer = ask(handler, path, { ["accept-encoding"] = wanted })
        return answer.body, answer.headers["Content-Encoding"], answer.headers
    end

    it("sends the form that is wanted", with_packed(function(_, handler)
        local body, coding, headers = form(handler, "/digits.txt", "gzip, br")
        assert.same({ "brotli", "br" }, { body, coding })
        assert.equal("text/plain; charset=utf-8", headers["Content-Type"])
        for _, wanted in ipairs { "gzip, br;q=0.5", "gzip" } do
            body, coding = form(handler, "/digits.txt", wanted)
            assert.same({ "gzipped", "gzip" }, { body, coding })
        end
        assert.equal("0123456789", (form(handler, "/digits.txt")))
        assert.equal("0123456789", (form(handler, "/digits.txt", "zstd")))
        body, coding = form(handler, "/large.bin", "gzip")
        assert.equal("gzip", coding)
        assert.equal(100000, #body)
    end))

    it("tells caches what the form depends on",
        with_packed(function(_, handler)
            for _, wanted in ipairs { "br", "identity", false } do
                local _, _, headers = form(handler, "/digits.txt",
                    wanted or nil)
                assert.equal("Accept-Encoding", headers.Vary)
            end
            local _, _, headers = form(handler, "/index.html", "br")
            assert.is_nil(headers.Vary)
        end))

    it("gives each form a tag of its own", with_packed(function(_, handler)
        local _, _, plain = form(handler, "/digits.txt")
        local _, _, packed = form(handler, "/digits.txt", "br")
        assert.not_equal(plain.ETag, packed.ETag)
        local conditions = { ["accept-encoding"] = "br",
            ["if-none-match"] = packed.ETag }
        local answer = ask(handler, "/digits.txt", conditions)
        assert.equal(304, answer.status)
        assert.equal("Accept-Encoding", answer.headers.Vary)
        conditions["if-none-match"] = plain.ETag
        assert.equal(200, ask(handler, "/digits.txt", conditions).status)
    end))

    it("sends ranges of the form", with_packed(function(_, handler)
        local answer = ask(handler, "/digits.txt",
            { ["accept-encoding"] = "gzip", range = "bytes=0-3" })
        assert.equal("gzip", answer.body)
        assert.equal("bytes 0-3/7", answer.headers["Content-Range"])
        assert.equal("gzip", answer.headers["Content-Encoding"])
    end))

    it("does without one that is older than the file",
        with_packed(function(dir, handler)
            assert(os.execute("touch -d @999999999 " .. dir
                .. "/digits.txt.br") == 0)
            assert.equal("gzipped", (form(handler, "/digits.txt", "gzip, br")))
        end))

    it("does without one that is gone", with_packed(function(dir, handler)
        site.settled(handler, "/digits.txt")
        assert.equal("gzipped", (form(handler, "/digits.txt", "gzip")))
        assert(os.remove(dir .. "/digits.txt.gz"))
        local body, coding, headers = form(handler, "/digits.txt", "gzip")
        assert.same({ "0123456789" }, { body, coding })
        assert.equal("Accept-Encoding", headers.Vary)
    end))

    it("can be switched off", with_packed(function(dir)
        local handler = static(dir, { precompressed = false })
        local body, _, headers = form(handler, "/digits.txt", "br")
        assert.equal("0123456789", body)
        assert.is_nil(headers.Vary)
        assert.equal("gzipped", (form(handler, "/digits.txt.gz", "br")))
    end))
end)
