local calls = require "spec.support.calls"
local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"
local site = require "spec.support.site"
local static = require("quoll.http.static").static

-- Over connections, with curl for a client.
describe("quoll.http.static over connections", function()
    helper.gates()

    local function curl(...)
        local out, err, ok = quoll.process.run({ "curl", "-sS", "--max-time",
            "20", ... }, { timeout = 30 })
        assert(ok, err)
        return out
    end

    -- fn(url, dir, connect) beside a server of a folder's files.
    local function served(fn, opts)
        return function()
            calls.in_directory(function(dir)
                site.fill(dir)
                http.run(static(dir, opts), nil, function(connect, address)
                    local url = "http://" .. address .. "/"
                    repeat -- until its times tell every change
                        local head = curl("-I", url .. "digits.txt")
                    until not head:find 'etag: W/'
                        and not head:find 'ETag: W/'
                    fn(url, dir, connect)
                end)
            end)
            jit.flush()
        end
    end

    local function status(...)
        return curl("-o", "/dev/null", "-w", "%{http_code}", ...)
    end

    it("sends small and large files, hot and over again",
        served(function(url)
            local text = site.text(200000)
            for _ = 1, 3 do
                assert.equal("0123456789", curl(url .. "digits.txt"))
                assert.is_true(text == curl(url .. "large.bin"))
                assert.equal("", curl(url .. "nothing.txt"))
            end
            local both = curl(url .. "large.bin", url .. "digits.txt")
            assert.is_true(both == text .. "0123456789")
        end))

    it("sends heads", served(function(url)
        local head = curl("-I", url .. "large.bin"):lower()
        assert.matches("^http/1.1 200 ", head)
        assert.truthy(head:find("content-length: 200000\r\n", 1, true))
        assert.truthy(head:find("accept-ranges: bytes\r\n", 1, true))
    end))

    it("sends ranges, and resumes", served(function(url, dir)
        local text = site.text(200000)
        assert.equal("234", curl("-r", "2-4", url .. "digits.txt"))
        assert.equal("89", curl("-r", "-2", url .. "digits.txt"))
        assert.is_true(text:sub(100001, 150000)
            == curl("-r", "100000-149999", url .. "large.bin"))
        local parts = curl("-r", "0-1,199998-", url .. "large.bin")
        assert.equal(2, select(2, parts:gsub("Content%-Range: bytes ", "")))
        assert.truthy(parts:find("\r\n\r\n" .. text:sub(-2) .. "\r\n--", 1,
            true))
        calls.write(dir .. "/half", text:sub(1, 77777))
        curl("-C", "-", "-o", dir .. "/half", url .. "large.bin")
        assert.is_true(text == calls.read(dir .. "/half"))
        assert.equal("416", status("-r", "200000-", url .. "large.bin"))
    end))

    it("answers conditions", served(function(url, dir)
        local tag = curl("-I", url .. "large.bin"):match '[eE][tT]ag: (%S+)'
        assert.equal("304", status("-H", "If-None-Match: " .. tag,
            url .. "large.bin"))
        assert.equal("304", status("-H", 'If-None-Match: "x"', "-H",
            "If-None-Match: " .. tag, url .. "large.bin"))
        assert.equal("304", status("-z", site.MODIFIED, url .. "large.bin"))
        assert.equal("412", status("-H", 'If-Match: "x"', url .. "large.bin"))
        calls.write(dir .. "/large.bin", "new")
        assert.equal("new", curl("-H", "If-None-Match: " .. tag,
            url .. "large.bin"))
    end))

    it("sends compressed forms", served(function(url, dir)
        assert(os.execute(("cd %s && gzip -k large.bin && touch -r large.bin "
            .. "large.bin.gz"):format(dir)) == 0)
        assert.is_true(site.text(200000)
            == curl("--compressed", url .. "large.bin"))
        local packed = curl("-H", "Accept-Encoding: gzip", url .. "large.bin")
        assert.is_true(packed == calls.read(dir .. "/large.bin.gz"))
    end))

    it("keeps paths that climb away from the rest", served(function(url)
        for _, path in ipairs { "../etc/hostname", "etc/hostname",
            "%2e%2e/etc/hostname", "..%2f..%2fetc/hostname", "out.txt",
            ".git/config", "//etc/hostname", "sub/../../etc/hostname" }
        do
            assert.equal("404", status("--path-as-is", url .. path), path)
        end
    end))

    it("serves pipelined requests from one connection, and lets go of files",
        served(function(_, dir, connect)
            local c = connect()
            local get = "GET /%s HTTP/1.1\nHost: a\n\n"
            c:say((get .. get .. get .. get):format("digits.txt", "large.bin",
                "none", "large.bin"))
            assert.equal("0123456789", c:hear().body)
            assert.equal(200000, #c:hear().body)
            assert.equal(404, c:hear().status)
            assert.equal(200000, #c:hear().body)
            assert(os.remove(dir .. "/large.bin"))
            c:say(get:format "large.bin")
            assert.equal(404, c:hear().status)
            c:say(get:format "digits.txt")
            c:hear()
            assert.equal(0, quoll.stats().files.live)
            c.conn:close()
        end))
end)
